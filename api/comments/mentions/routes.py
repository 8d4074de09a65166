"""HTTP for mentions in a text that is still being written."""

from api.articles import queries as articles
from api.articles.errors import ArticleNotFound
from api.auth.dependencies import CurrentActor
from api.auth.quotas import Action, limit
from api.comments.mentions import parsing, queries
from api.comments.mentions.presenters import to_mention_preview
from api.comments.mentions.resolution import resolve_document
from api.comments.schemas import MentionPreview, MentionPreviewRead
from api.kit.dependencies import ReadSession
from api.kit.http.problem_responses import problems
from api.kit.http.routing import make_router
from api.kit.text.rendering import TextTooLarge, parse_text

router = make_router("mentions")


@router.post(
    "/mentions/preview",
    responses=problems(ArticleNotFound, TextTooLarge),
    dependencies=[limit(Action.MENTION_PREVIEW)],
)
async def preview_mentions(
    body: MentionPreview, actor: CurrentActor, session: ReadSession
) -> MentionPreviewRead:
    """Tell whom a text would tell, whom not, and why. Nothing is stored."""
    article_id = await articles.find_id(session, body.article)
    if article_id is None:
        raise ArticleNotFound
    document = await parse_text(body.body)
    text = await resolve_document(session, document, article_id)
    people = await queries.find_people_of_thread(session, article_id)
    suggestions = parsing.suggest(document, people)
    return to_mention_preview(actor, document.source, text.mentions, text.unresolved, suggestions)
