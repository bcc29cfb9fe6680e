/** What the tests of the deployment's files read of the workspace. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(import.meta.dirname, "..", "..")

export const read = (path: string): string => readFileSync(join(root, path), "utf8")

export const exists = (path: string): boolean => existsSync(join(root, path))

const sources = (): string =>
  globSync(["apps/*/src/**/*.ts", "packages/*/src/**/*.ts"], { cwd: root }).map(read).join("\n")

/** The settings of the workspace among the names, less those that no source reads. */
export const unreadSettings = (names: Iterable<string>): ReadonlyArray<string> => {
  const text = sources()
  // `configOf("ONSALE_SANDBOX")` reads `ONSALE_SANDBOX_SECRET` as `${prefix}_SECRET`.
  const prefixes = [...text.matchAll(/configOf\("([A-Z0-9_]+)"\)/g)].map(([, prefix]) => prefix ?? "")
  const isRead = (name: string): boolean =>
    text.includes(`"${name}"`) ||
    prefixes.some(
      (prefix) => name.startsWith(prefix) && text.includes(`\${prefix}${name.slice(prefix.length)}`)
    )
  return [...new Set(names)].filter((name) => /^(ONSALE_|PSP_|PORT$)/.test(name) && !isRead(name))
}

/** The entry point that a command names, such as `apps/runner/src/booking.ts`. */
export const entryPoints = (command: ReadonlyArray<string>): ReadonlyArray<string> =>
  command.filter((word) => word.endsWith(".ts"))
