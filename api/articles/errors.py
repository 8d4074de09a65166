"""What can be wrong with an article."""

from api.kit.problems import Problem


class ArticleNotFound(Problem):
    """No article that the client may see has this id or slug."""

    status = 404
    code = "article_not_found"
    title = "There is no such article"
    detail = "No article has this id or slug."


class SlugTaken(Problem):
    """The chosen slug is or was another article's."""

    status = 409
    code = "slug_taken"
    title = "The slug is taken"
    detail = "Choose another slug, or leave it out to get one made from the title."


class ExternalIdTaken(Problem):
    """Another article has this external id, or had it until it was deleted."""

    status = 409
    code = "external_id_taken"
    title = "The external id is taken"
    detail = (
        "Another article has or had it. PUT /v1/articles/by-external-id/... changes the one that "
        "has it; a deleted article keeps its id."
    )


class NotYourArticle(Problem):
    """Somebody else's article."""

    status = 403
    code = "not_your_article"
    title = "This article is not yours"
    detail = "Only its author and moderators may change it."
