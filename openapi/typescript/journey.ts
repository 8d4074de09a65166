// What a frontend does on its first day, with a client generated from openapi.json.
// It is compiled with `strict`, so it also checks the types: node journey.js http://127.0.0.1:8000

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/palaver.js";

type Comment = components["schemas"]["CommentNode"];

const baseUrl = process.argv[2];
assert(baseUrl, "say where the server is");
const password = "correct horse battery";

/** Return the data of a response. Throws with the code of the problem, if it is one. */
function expectData<T>(result: { data?: T; error?: { code: string; detail: string } }): T {
  if (result.error) throw new Error(`${result.error.code}: ${result.error.detail}`);
  assert(result.data !== undefined);
  return result.data;
}

async function join(handle: string, displayName: string) {
  const anonymous = createClient<paths>({ baseUrl: baseUrl! });
  const user = expectData(
    await anonymous.POST("/v1/users", {
      body: { handle, email: `${handle}@example.com`, password, display_name: displayName },
    }),
  );
  const tokens = expectData(
    await anonymous.POST("/v1/sessions", { body: { login: handle, password } }),
  );
  const headers = { Authorization: `${tokens.token_type} ${tokens.access_token}` };
  return { user, client: createClient<paths>({ baseUrl: baseUrl!, headers }) };
}

const max = await join("typed-max", "Max");
const lee = await join("typed-lee", "Lee Stevenson");

// An article, sent twice with one key: there is one.
const draft = {
  params: { header: { "Idempotency-Key": "typescript-journey" } },
  body: { title: "On typed clients", body: "Are they *worth it*?", tags: ["clients"] },
};
const article = expectData(await max.client.POST("/v1/articles", draft));
const repeated = await max.client.POST("/v1/articles", draft);
assert.equal(expectData(repeated).id, article.id);
assert.equal(repeated.response.headers.get("Idempotent-Replayed"), "true");

// Three levels of replies, with mentions by handle and by name, and a second root.
async function reply(by: typeof max, body: string, parent: string | null = null) {
  const params = { path: { article: article.slug } };
  return expectData(
    await by.client.POST("/v1/articles/{article}/comments", {
      params,
      body: { body, parent_id: parent },
    }),
  );
}
const first = await reply(lee, "What do you say, @typed-max?");
const second = await reply(max, "Ask @Lee Stevenson…. and @nobody-here.", first.id);
const third = await reply(lee, "Indeed, @typed-max.", second.id);
const other = await reply(max, "A second thread.");
assert.deepEqual(first.mentions.map((mention) => mention.user_id), [max.user.id]);
assert.deepEqual(second.mentions.map((mention) => mention.handle), ["typed-lee"]);
assert.deepEqual(second.unresolved_mentions.map((mention) => mention.reason), ["unknown"]);

// The tree, one root at a time.
const anyone = createClient<paths>({ baseUrl });
async function readTree(query: NonNullable<paths["/v1/articles/{article}/comments"]["get"]["parameters"]["query"]>) {
  return await anyone.GET("/v1/articles/{article}/comments", {
    params: { path: { article: article.id }, query },
  });
}
const page = await readTree({ sort: "old", limit: 1, children: 3, depth: 3, min_version: other.version });
const tree = expectData(page);
const path: Comment[] = [];
for (let node = tree.data[0]; node; node = node.replies.data[0]) path.push(node);
assert.deepEqual(path.map((node) => node.id), [first.id, second.id, third.id]);
assert.deepEqual(path.map((node) => node.depth), [0, 1, 2]);
assert.equal(path[1]?.author?.display_name, "Max");
assert(path[0]?.html?.includes(`data-user-id="${max.user.id}"`));
assert.deepEqual([tree.page.has_more, tree.page.remaining], [true, 1]);

// "Load more": a cursor leads from the page to the next one, and from a node to its replies.
assert(tree.page.next_cursor);
const rest = expectData(await readTree({ cursor: tree.page.next_cursor }));
assert.deepEqual(rest.data.map((node) => node.id), [other.id]);
assert.equal(rest.page.next_cursor, null);
const shallow = expectData(await readTree({ sort: "old", depth: 1 }));
const replies = shallow.data[0]?.replies;
assert.equal(replies?.remaining, 1);
assert(replies.next_cursor);
const below = expectData(await readTree({ cursor: replies.next_cursor }));
assert.deepEqual(below.data.map((node) => node.id), [second.id]);

// The same page again costs a 304.
const again = await anyone.GET("/v1/articles/{article}/comments", {
  params: {
    path: { article: article.id },
    query: { sort: "old", limit: 1, children: 3, depth: 3 },
    header: { "If-None-Match": page.response.headers.get("ETag")! },
  },
});
assert.equal(again.response.status, 304);

// An edit with the tag of its node; the same tag a second time is a problem with a known code.
const comment = `/v1/comments/{comment_id}` as const;
const edit = {
  params: { path: { comment_id: first.id }, header: { "If-Match": path[0]!.etag } },
  body: { body: "What do you say now, @typed-max?" },
};
const edited = expectData(await lee.client.PATCH(comment, edit));
assert(edited.edited_at);
const stale = await lee.client.PATCH(comment, edit);
assert(stale.error);
assert.equal(stale.error.status, 412);
assert.equal(stale.error.code, "precondition_failed");

// A problem that says what is wrong with which field.
const refused = await max.client.POST("/v1/articles", { body: { title: "" } });
assert(refused.error?.code === "validation_failed");
assert.equal(refused.error.errors?.[0]?.pointer, "/body/title");

// Codes are typed: comparing with one that this operation does not have does not compile.
const missing = await anyone.GET("/v1/articles/{article}", { params: { path: { article: "no-such" } } });
switch (missing.error?.code) {
  case "article_not_found":
    break;
  default:
    assert.fail(`unexpected: ${missing.error?.code}`);
}

console.log("TypeScript: the journey went through.");
