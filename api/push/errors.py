"""Problems of Web Push."""

from api.kit.problems import Problem


class PushSubscriptionNotFound(Problem):
    """None of the person's subscriptions has this id."""

    status = 404
    code = "push_subscription_not_found"
    title = "Push subscription not found"
    detail = "GET /v1/me/push-subscriptions lists the ids of yours."


class TooManyPushSubscriptions(Problem):
    """The person has as many subscriptions as one may have."""

    status = 409
    code = "too_many_push_subscriptions"
    title = "Too many push subscriptions"
    detail = "A person has at most 20 push subscriptions; delete one first."


class InvalidPushEndpoint(Problem):
    """Nothing is sent to such an address."""

    status = 422
    code = "invalid_push_endpoint"
    title = "Invalid push endpoint"
    detail = "Send the endpoint as the browser gave it: an https URL whose host is public."
