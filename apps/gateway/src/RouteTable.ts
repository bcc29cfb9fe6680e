/** Which route a request is for, by its template: what a metric may have as a label, however clients make up paths. */

interface Node {
  readonly literals: Map<string, Node>
  parameter: Node | undefined
  /** By method. */
  readonly routes: Map<string, string>
}

/** A template such as `/api/v1/events/{eventId}`, with its method. */
export interface Route {
  readonly method: string
  readonly template: string
}

const node = (): Node => ({ literals: new Map(), parameter: undefined, routes: new Map() })

const find = (at: Node, method: string, path: string, from: number): string | undefined => {
  if (from > path.length) return at.routes.get(method)
  let end = path.indexOf("/", from)
  if (end === -1) end = path.length
  const literal = at.literals.get(path.slice(from, end))
  const found = literal === undefined ? undefined : find(literal, method, path, end + 1)
  if (found !== undefined || at.parameter === undefined || end === from) return found
  return find(at.parameter, method, path, end + 1)
}

/** Finds the template of a method and a URL with or without a query; undefined for what is not served. */
export const make = (routes: ReadonlyArray<Route>) => {
  const root = node()
  for (const { method, template } of routes) {
    let at = root
    for (const part of template.slice(1).split("/")) {
      if (part.startsWith("{")) at = at.parameter ??= node()
      else {
        const next = at.literals.get(part) ?? node()
        at.literals.set(part, next)
        at = next
      }
    }
    at.routes.set(method, template)
  }
  return (method: string, url: string): string | undefined => {
    if (!url.startsWith("/")) return undefined
    const query = url.indexOf("?")
    const path = query === -1 ? url : url.slice(0, query)
    // A HEAD is a GET whose body is left out.
    return find(root, method === "HEAD" ? "GET" : method, path, 1)
  }
}
