/** How `/dev/mail` answers: nothing of it is stored, and nothing that a mail holds is run. */
import { Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { notFoundPage } from "./DevMailPages.ts"

export const common = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer"
}

const ownPages =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** The mail's own HTML may look as it likes and do nothing: no script, no request, no form, no link out of its frame. */
const mailHtml =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

/** A page of ours. */
export const htmlPage = (body: string, status = 200) =>
  HttpServerResponse.text(body, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: { ...common, "content-security-policy": ownPages }
  })

export const jsonAnswer = (body: unknown, status = 200) =>
  HttpServerResponse.jsonUnsafe(body, { status, headers: common })

export const wantsJson = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
  const accept = headers["accept"] ?? ""
  return accept.includes("application/json") && !accept.includes("text/html")
})

const problem = { type: "about:blank", title: "No such mail", status: 404 }

export const notFound = Effect.map(wantsJson, (json) =>
  json
    ? HttpServerResponse.jsonUnsafe(problem, {
        status: 404,
        contentType: "application/problem+json",
        headers: common
      })
    : htmlPage(notFoundPage(), 404)
)

/** The HTML of a mail, for a frame of ours. */
export const frame = (html: string) =>
  HttpServerResponse.text(html, {
    contentType: "text/html; charset=utf-8",
    headers: { ...common, "content-security-policy": mailHtml }
  })
