"""Mail: notifications by mail, at once or as a digest, and the transport of all mails."""
