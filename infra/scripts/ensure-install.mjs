// Brings node_modules in line with package-lock.json before any script of the workspace runs.
//
// It runs on whatever Node is there (18 or later), before anything is installed: so it is plain
// JavaScript and imports nothing but Node. The script that npm runs after it already finds the pinned
// Node in node_modules/.bin. When nothing is missing it touches neither disk nor network.
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const lockFile = join(root, "package-lock.json")
const modules = join(root, "node_modules")
/** What the last successful install installed. In node_modules, so that it goes when they go. */
const stamp = join(modules, ".onsale-lock")
/** Held by the one process that installs. Outside node_modules, which `npm ci` deletes. */
const mutex = join(root, ".onsale", "install.lock")

const oldestNpm = 10
/** A slow network takes minutes to bring 400 packages; after this long the holder is taken for dead. */
const mutexTtlMs = 15 * 60_000
const pollMs = 250
const outputTailLines = 40

const say = (line) => process.stderr.write(`onsale: ${line}\n`)

const read = (path) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** Binaries differ by platform, so a tree that was copied from another machine does not count. */
const wanted = () =>
  createHash("sha256")
    .update(`${process.platform}-${process.arch}\n`)
    .update(readFileSync(lockFile))
    .digest("hex")

/**
 * Somebody may have run `npm install` by hand: npm's own record of what it put into node_modules
 * then says the same as the lock file, and installing again would be a waste.
 */
const installedByHand = () => {
  const record = read(join(modules, ".package-lock.json"))
  if (record === undefined) return false
  try {
    const actual = JSON.parse(record).packages
    return Object.entries(JSON.parse(readFileSync(lockFile, "utf8")).packages).every(([path, entry]) => {
      if (!path.includes("node_modules/")) return true
      const found = actual[path]
      // npm leaves out what is for another platform.
      if (found === undefined) return entry.optional === true || entry.peer === true
      return found.version === entry.version && found.integrity === entry.integrity
    })
  } catch {
    return false
  }
}

const remember = (hash) => writeFileSync(stamp, `${hash}\n`)

const isInstalled = () => {
  const hash = wanted()
  if (!existsSync(join(modules, ".bin", "node"))) return false
  if (read(stamp)?.trim() === hash) return true
  if (!installedByHand()) return false
  remember(hash)
  return true
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === "EPERM"
  }
}

const tryAcquire = () => {
  mkdirSync(dirname(mutex), { recursive: true })
  try {
    mkdirSync(mutex)
  } catch (error) {
    if (error.code === "EEXIST") return false
    throw error
  }
  writeFileSync(join(mutex, "pid"), String(process.pid))
  return true
}

const release = () => rmSync(mutex, { recursive: true, force: true })

/** Renamed first: of two that find a stale mutex only one can, so neither removes the other's new one. */
const clearStale = () => {
  const grave = `${mutex}.${process.pid}`
  try {
    renameSync(mutex, grave)
  } catch {
    return
  }
  rmSync(grave, { recursive: true, force: true })
}

/** The pid that installs, or undefined when it died, hangs, or has just gone. */
const holder = () => {
  try {
    const ageMs = Date.now() - statSync(mutex).mtimeMs
    const pid = Number(read(join(mutex, "pid")) ?? NaN)
    // The directory exists a moment before its pid does.
    if (Number.isNaN(pid)) return ageMs < 5_000 ? "unknown" : undefined
    return isAlive(pid) && ageMs < mutexTtlMs ? pid : undefined
  } catch {
    return undefined
  }
}

const acquire = async () => {
  let announced = false
  while (!tryAcquire()) {
    const pid = holder()
    if (pid === undefined) {
      clearStale()
      continue
    }
    if (!announced) say(`another process (pid ${pid}) is installing; waiting for it`)
    announced = true
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** npm's own script when npm started us, so that both are the same npm. */
const npmCommand = (args) =>
  process.env.npm_execpath?.endsWith(".js")
    ? [process.execPath, [process.env.npm_execpath, ...args]]
    : ["npm", args]

const npmVersion = () => {
  const [command, args] = npmCommand(["--version"])
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8" })
  return result.status === 0 ? result.stdout.trim() : undefined
}

const npmCi = () =>
  new Promise((resolve) => {
    // Included by name: NODE_ENV=production or a user's own `omit` would leave out what start needs.
    const [command, args] = npmCommand([
      "ci",
      "--include=dev",
      "--include=optional",
      "--no-audit",
      "--no-fund"
    ])
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    const take = (chunk) => {
      output = (output + chunk).slice(-200_000)
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    const forward = (signal) => child.kill(signal)
    process.on("SIGINT", forward)
    process.on("SIGTERM", forward)
    child.on("error", (error) => resolve({ code: 1, output: String(error) }))
    child.on("close", (code, signal) => resolve({ code: signal === null ? code : 130, output }))
  })

/** What to tell somebody whose install failed, by the marks npm leaves in its output. */
const advice = (output) => {
  if (/EUSAGE|can only install packages when/.test(output))
    return "package.json and package-lock.json do not agree: run `npm install` and commit the lock file"
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED/.test(
      output
    )
  )
    return "the npm registry cannot be reached: the first start needs the network (or a proxy in npm's config), later ones do not"
  if (/ENOSPC/.test(output)) return "the disk is full"
  if (/EACCES|EPERM|EROFS/.test(output)) return `no permission to write to ${modules}`
  if (/EINTEGRITY/.test(output))
    return "a package differs from what the lock file recorded; `npm cache verify` may help"
  return "see npm's output above"
}

const install = async () => {
  const version = npmVersion()
  if (version === undefined) {
    say("npm was not found, and it is needed to install the dependencies")
    return 1
  }
  if (Number(version.split(".")[0]) < oldestNpm) {
    say(
      `npm ${version} is too old: ${oldestNpm} or later is needed (it comes with Node 20, or \`npm install -g npm@${oldestNpm}\`)`
    )
    return 1
  }
  say(
    `installing dependencies (npm ci, ${existsSync(modules) ? "package-lock.json has changed" : "first run"}) …`
  )
  const startedAt = Date.now()
  const { code, output } = await npmCi()
  if (code !== 0) {
    process.stderr.write(`${output.trimEnd().split("\n").slice(-outputTailLines).join("\n")}\n`)
    say(`npm ci failed: ${advice(output)}`)
    return code ?? 1
  }
  remember(wanted())
  say(`installed in ${Math.round((Date.now() - startedAt) / 1000)} s`)
  return 0
}

const main = async () => {
  if (isInstalled()) return 0
  await acquire()
  process.on("exit", release)
  // The one we waited for may have done it.
  return isInstalled() ? 0 : await install()
}

try {
  process.exitCode = await main()
} catch (error) {
  say(`could not install: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
