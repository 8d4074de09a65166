"""What can be wrong with a vote."""

from api.kit.problems import Problem


class OwnVote(Problem):
    """Nobody votes for what they wrote themselves."""

    status = 403
    code = "own_vote"
    title = "This is your own"
    detail = "Nobody votes for what they wrote themselves."
