/**
 * Which route a request is for, by its template: what a metric may have as a label, however clients make up paths. Found
 * by the matcher that the server's own routes stand in, so that every form of a path that they take counts as theirs.
 */
import { FindMyWay } from "effect/http"

/** A template such as `/api/v1/events/{eventId}`, with its method. */
export interface Route {
  readonly method: string
  readonly template: `/${string}`
}

const pattern = (template: Route["template"]): FindMyWay.PathInput =>
  `/${template.slice(1).replaceAll(/\{(\w+)\}/g, ":$1")}`

/** Finds the template of a method and a URL with or without a query; undefined for what is not served. */
export const make = (routes: ReadonlyArray<Route>) => {
  const router = FindMyWay.make<string>()
  for (const { method, template } of routes) router.on(method, pattern(template), template)
  return (method: string, url: string): string | undefined => {
    if (!url.startsWith("/")) return undefined
    const query = url.indexOf("?")
    // A query is not read here, and may be long.
    const path = query === -1 ? url : url.slice(0, query)
    const found = router.find(method, path)
    // A HEAD is a GET whose body is left out.
    return (found ?? (method === "HEAD" ? router.find("GET", path) : undefined))?.handler
  }
}
