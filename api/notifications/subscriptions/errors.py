"""What can be wrong with a subscription."""

from api.kit.problems import Problem


class OwnSubscription(Problem):
    """Nobody follows or mutes themselves."""

    status = 403
    code = "own_subscription"
    title = "Your own account"
    detail = "You can follow or mute only other people."
