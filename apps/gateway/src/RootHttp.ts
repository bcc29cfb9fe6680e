/** `GET /`: what this is, and where to go from here. */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"

/** A page to show on `/`. */
export interface Link {
  readonly href: string
  readonly title: string
  readonly about: string
}

const own: ReadonlyArray<Link> = [
  { href: "/docs", title: "API documentation", about: "every operation, to read and to try" },
  { href: "/openapi.json", title: "OpenAPI 3.1", about: "the same for machines" },
  { href: "/api/v1/events", title: "Events", about: "what is on sale" },
  { href: "/metrics", title: "Metrics", about: "Prometheus; from this machine only" }
]

const page = (links: ReadonlyArray<Link>): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Onsale</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 17px/1.55 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 2.4rem; letter-spacing: -0.02em; margin: 0 0 0.25rem; }
  p { margin: 0 0 2rem; opacity: 0.8; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.6rem 1.5rem; }
  dd { margin: 0; opacity: 0.75; }
</style>
</head>
<body>
<h1>Onsale</h1>
<p>Ticketing and seat booking: seats are held, paid and sold at most once, however many want them at the same time.</p>
<dl>
${links.map(({ href, title, about }) => `<dt><a href="${href}">${title}</a></dt><dd>${about}</dd>`).join("\n")}
</dl>
</body>
</html>
`

/** `more` are pages that are there only in some installations, such as the caught mail. */
export const layer = (more: ReadonlyArray<Link>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      yield* router.add(
        "GET",
        "/",
        HttpServerResponse.text(page([...own, ...more]), { contentType: "text/html; charset=utf-8" })
      )
    })
  )
