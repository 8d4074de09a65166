"""Problems of articles."""

from api.kit.problems import Problem


class ArticleNotFound(Problem):
    """No article that the client may see has this id or slug."""

    status = 404
    code = "article_not_found"
    title = "Article not found"
    detail = "Check the id or the slug: no article has it."


class SlugTaken(Problem):
    """The chosen slug is or was another article's."""

    status = 409
    code = "slug_taken"
    title = "Slug taken"
    detail = "Choose another slug, or leave it out to get one made from the title."


class ExternalIdTaken(Problem):
    """Another article has this external id, or had it until it was deleted."""

    status = 409
    code = "external_id_taken"
    title = "External id taken"
    detail = (
        "Choose another external id, or update the article that has it with "
        "PUT /v1/articles/by-external-id/... A deleted article keeps its external id."
    )


class NotYourArticle(Problem):
    """The article is another person's."""

    status = 403
    code = "not_your_article"
    title = "Not your article"
    detail = "Only its author and moderators may edit or delete it."
