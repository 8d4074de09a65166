"""What a frontend does on its first day, with a client generated from openapi.json.

mypy checks it strictly, and so the types too: `python journey.py http://127.0.0.1:8000`.
"""

import sys
from typing import TypeVar
from uuid import UUID

from palaver_client import AuthenticatedClient, Client
from palaver_client.api.articles import create_article, read_article
from palaver_client.api.comments import create_comment, read_tree, update_comment
from palaver_client.api.sessions import create_session
from palaver_client.api.users import create_user
from palaver_client.models import (
    ArticleCreate,
    ArticleNotFoundProblem,
    ArticleRead,
    CommentCreate,
    CommentNode,
    CommentSort,
    CommentTree,
    CommentUpdate,
    CommentWritten,
    PreconditionFailedProblem,
    SessionCreate,
    TokensRead,
    UserCreate,
    UserRead,
    ValidationFailedProblem,
)

PASSWORD = "correct horse battery"

Body = TypeVar("Body")


def expect(body: object, kind: type[Body]) -> Body:
    """Return the body of a response, which has to be of this kind."""
    assert isinstance(body, kind), body
    return body


def join(url: str, handle: str, display_name: str) -> tuple[UserRead, AuthenticatedClient]:
    """Create an account, log in, and return the account and its client."""
    anonymous = Client(base_url=url)
    account = UserCreate(
        handle=handle,
        email=f"{handle}@example.com",
        password=PASSWORD,
        display_name=display_name,
    )
    user = expect(create_user.sync(client=anonymous, body=account), UserRead)
    login = SessionCreate(login=handle, password=PASSWORD)
    tokens = expect(create_session.sync(client=anonymous, body=login), TokensRead)
    return user, AuthenticatedClient(base_url=url, token=tokens.access_token)


def write_thread(
    article: str, person: AuthenticatedClient, other: AuthenticatedClient, user: UserRead
) -> list[CommentWritten]:
    """Write three levels of replies with mentions, and a second root."""

    def reply(by: AuthenticatedClient, text: str, parent: UUID | None = None) -> CommentWritten:
        body = CommentCreate(body=text, parent_id=parent)
        return expect(create_comment.sync(article, client=by, body=body), CommentWritten)

    first = reply(other, "What do you say, @py-max?")
    second = reply(person, "Ask @Ana Lima Duarte…. and @nobody-here.", first.id)
    third = reply(other, "Indeed, @py-max.", second.id)
    assert [mention.user_id for mention in first.mentions] == [user.id]
    assert [mention.handle for mention in second.mentions] == ["py-ana"]
    assert [mention.reason for mention in second.unresolved_mentions] == ["unknown"]
    return [first, second, third, reply(person, "A second thread.")]


def read_thread(url: str, article: str, written: list[CommentWritten]) -> CommentNode:
    """Read the tree root by root, load more at a root and at a node; return the first root."""
    client = Client(base_url=url)
    first, second, third, other = (comment.id for comment in written)
    page = read_tree.sync_detailed(
        article,
        client=client,
        sort=CommentSort.COMMENT_SORT_OLD,
        limit=1,
        children=3,
        depth=3,
        min_version=written[-1].version,
    )
    tree = expect(page.parsed, CommentTree)
    path, nodes = [], tree.data
    while nodes:
        path.append(nodes[0])
        nodes = nodes[0].replies.data
    assert [(node.id, node.depth) for node in path] == [(first, 0), (second, 1), (third, 2)]
    assert path[1].author is not None
    assert path[1].author.display_name == "Max"
    assert (tree.page.has_more, tree.page.remaining) == (True, 1)

    assert tree.page.next_cursor is not None
    rest = read_tree.sync(article, client=client, cursor=tree.page.next_cursor)
    assert [node.id for node in expect(rest, CommentTree).data] == [other]
    shallow = expect(
        read_tree.sync(article, client=client, sort=CommentSort.COMMENT_SORT_OLD, depth=1),
        CommentTree,
    )
    replies = shallow.data[0].replies
    assert replies.remaining == 1
    assert replies.next_cursor is not None
    below = read_tree.sync(article, client=client, cursor=replies.next_cursor)
    assert [node.id for node in expect(below, CommentTree).data] == [second]
    return path[0]


def edit_twice(node: CommentNode, author: AuthenticatedClient) -> None:
    """Edit with the tag of a node; the same tag a second time is a problem with a known code."""
    body = CommentUpdate(body="What do you say now, @py-max?")
    edited = update_comment.sync(node.id, client=author, body=body, if_match=node.etag)
    assert expect(edited, CommentWritten).edited_at is not None
    stale = update_comment.sync(node.id, client=author, body=body, if_match=node.etag)
    assert expect(stale, PreconditionFailedProblem).status == 412


def main(url: str) -> None:
    """Go through the journey."""
    max_, max_client = join(url, "py-max", "Max")
    _, ana_client = join(url, "py-ana", "Ana Lima Duarte")
    draft = ArticleCreate(title="On generated clients", body="Are they *worth it*?")
    article, again = (
        expect(
            create_article.sync(client=max_client, body=draft, idempotency_key="python-journey"),
            ArticleRead,
        )
        for _ in range(2)
    )
    assert again.id == article.id
    written = write_thread(article.slug, max_client, ana_client, max_)
    node = read_thread(url, article.slug, written)
    edit_twice(node, ana_client)

    refused = create_article.sync(client=max_client, body=ArticleCreate(title=""))
    errors = expect(refused, ValidationFailedProblem).errors
    assert errors
    assert errors[0].pointer == "/body/title"
    missing = read_article.sync("no-such", client=Client(base_url=url))
    assert expect(missing, ArticleNotFoundProblem).code == "article_not_found"
    print("Python: the journey went through.")


if __name__ == "__main__":
    main(sys.argv[1])
