/** Which of our encodings a client takes (RFC 9110 §12.5.3). Pure but for what it remembers. */

export interface Accepted {
  readonly br: boolean
  readonly gzip: boolean
  readonly identity: boolean
}

const names = ["br", "gzip", "identity"] as const

/** Browsers and proxies say the same few things: what was said is not read again. */
const remembered = new Map<string, Accepted>()
const maxRemembered = 256
/** A longer one is read each time. */
const maxRememberedLength = 128

const none: Accepted = { br: false, gzip: false, identity: true }

const parse = (header: string): Accepted => {
  const weights = new Map<string, number>()
  for (const part of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim())
    const weight = parameters.find((one) => one.startsWith("q="))
    if (name !== "")
      weights.set(name === "x-gzip" ? "gzip" : name, weight === undefined ? 1 : Number(weight.slice(2)))
  }
  const others = weights.get("*")
  const [br, gzip] = names.map((name) => (weights.get(name) ?? others ?? 0) > 0)
  return {
    br: br === true,
    gzip: gzip === true,
    // Taken by everybody who does not say otherwise.
    identity: (weights.get("identity") ?? others ?? 1) > 0
  }
}

/** A client that says nothing gets the plain text: what it can decode is not known. */
export const of = (header: string | ReadonlyArray<string> | undefined): Accepted => {
  if (header === undefined) return none
  const text = String(header)
  const known = remembered.get(text)
  if (known !== undefined) return known
  const accepted = parse(text)
  if (text.length <= maxRememberedLength && remembered.size < maxRemembered) remembered.set(text, accepted)
  return accepted
}
