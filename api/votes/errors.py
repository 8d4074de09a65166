"""What can be wrong with a vote."""

from api.kit.problems import Problem


class OwnVote(Problem):
    """Nobody votes for what they wrote themselves."""

    status = 403
    code = "own_vote"
    title = "Own article or comment"
    detail = "You can vote only on the articles and comments of other people."
