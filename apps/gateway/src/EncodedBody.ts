/**
 * A JSON text as it is sent, with its validators: plain at once, compressed once somebody wants it so. All who read
 * it share the bytes.
 */
import { Exit } from "effect"
import { createHash } from "node:crypto"
import * as AcceptedEncodings from "./AcceptedEncodings.ts"
import type { Compressor, Encoding, Turns } from "./Compressor.ts"
import type { RequestHeaders } from "./Correlation.ts"

/** What is sent of one representation: names and values one after another, as Node writes them. */
export interface Representation {
  readonly etag: string
  readonly bytes: Uint8Array
  /** Of the answer with the bytes. */
  readonly headers: ReadonlyArray<string>
  /** Of a 304. */
  readonly validators: ReadonlyArray<string>
  /** The status line of a 304 and these headers, as they are written. */
  readonly notModified: string
}

/** What is answered: the representation, or that the client has it. */
export type Done = (representation: Representation, notModified: boolean) => void

export interface EncodedBodyOptions {
  readonly json: Uint8Array
  /** Of the content: two that are equal have the same one. Without quotes. */
  readonly tag: string
  readonly cacheControl: string
  /** What else of a request chooses the answer, and that its encodings do; they alone when left out. */
  readonly vary?: string
  /** Further headers of every answer: names and values one after another. */
  readonly headers?: ReadonlyArray<string>
  readonly compressor: Compressor["Service"]
  readonly turns: Turns
}

const contentType = "application/json"

/** Names a text by its bytes: 96 bits. */
export const tagOf = (json: Uint8Array): string =>
  createHash("sha1").update(json).digest("base64url").slice(0, 16)

const headOf304 = (validators: ReadonlyArray<string>): string => {
  let head = "HTTP/1.1 304 Not Modified\r\n"
  for (let i = 0; i < validators.length; i += 2) head += `${validators[i]}: ${validators[i + 1]}\r\n`
  return head
}

/** A tag without its quotes, and without the mark of a weak one: the comparison is the weak one (RFC 9110 §13.1.2). */
const opaque = (tag: string): string => tag.trim().replace(/^W\//, "")

export class EncodedBody {
  readonly tag: string
  readonly identity: Representation
  /** Itself, as it is given to all who read it. */
  readonly found: Exit.Exit<EncodedBody> = Exit.succeed(this)
  /** Called with what is kept more when there is one more representation. */
  onGrown: ((bytes: number) => void) | undefined
  readonly options: EncodedBodyOptions
  /** Null where it is no smaller, or is not made. */
  private readonly made: Record<Encoding, Representation | null | undefined> = {
    br: undefined,
    gzip: undefined
  }
  private readonly etags: Readonly<Record<Encoding, string>>
  private readonly waiting: Record<Encoding, Array<() => void> | undefined> = {
    br: undefined,
    gzip: undefined
  }

  constructor(options: EncodedBodyOptions) {
    this.options = options
    this.tag = options.tag
    this.etags = { br: `"${options.tag}-br"`, gzip: `"${options.tag}-gzip"` }
    this.identity = this.represent(options.json, `"${options.tag}"`, undefined)
  }

  /** Of all that is kept. */
  get byteLength(): number {
    return (
      this.identity.bytes.byteLength +
      (this.made.br?.bytes.byteLength ?? 0) +
      (this.made.gzip?.bytes.byteLength ?? 0)
    )
  }

  /**
   * Calls back once, at once or when a compressed text has come: with what the client takes, or has already. Its tag
   * counts in each encoding that it takes: it may have been given any of them.
   */
  answer(request: RequestHeaders, done: Done): void {
    const accepted = AcceptedEncodings.of(request["accept-encoding"])
    const tags = request["if-none-match"]
    if (tags !== undefined) {
      const had = this.had(String(tags), accepted)
      if (had !== undefined) return done(had, true)
    }
    if (!accepted.br && !accepted.gzip) return done(this.identity, false)
    const found =
      (accepted.br ? this.made.br : undefined) ?? (accepted.gzip ? this.made.gzip : undefined) ?? undefined
    // Who takes both has the better one, as soon as it is there.
    const wanted: Encoding = accepted.br && this.made.br !== null ? "br" : "gzip"
    if (this.made[wanted] !== undefined || !accepted[wanted]) return done(found ?? this.identity, false)
    const settle = () => done(this.made[wanted] ?? this.identity, false)
    if (!this.make(wanted)) return done(found ?? this.identity, false)
    if (found !== undefined) return done(found, false)
    this.waiting[wanted]?.push(settle)
  }

  /** True where the encoding is being made, or begins to be. */
  private make(encoding: Encoding): boolean {
    if (this.waiting[encoding] !== undefined) return true
    const { compressor, json, turns } = this.options
    const started = compressor.start(encoding, turns, json, (bytes) => {
      const waiting = this.waiting[encoding]
      this.waiting[encoding] = undefined
      this.made[encoding] = bytes === null ? null : this.represent(bytes, this.etags[encoding], encoding)
      if (bytes !== null) this.onGrown?.(bytes.byteLength)
      for (const settle of waiting ?? []) settle()
    })
    if (started) this.waiting[encoding] = []
    return started
  }

  /** What the client has already. A tag tells its representation, whether that is kept here or not. */
  private had(tags: string, accepted: AcceptedEncodings.Accepted): Representation | undefined {
    if (accepted.identity && tags === this.identity.etag) return this.identity
    for (const part of tags.split(",")) {
      const tag = opaque(part)
      if (tag === "*" || (accepted.identity && tag === this.identity.etag)) return this.identity
      for (const encoding of ["br", "gzip"] as const) {
        if (accepted[encoding] && tag === this.etags[encoding]) {
          return this.made[encoding] ?? this.represent(new Uint8Array(), tag, encoding)
        }
      }
    }
    return undefined
  }

  private represent(bytes: Uint8Array, etag: string, encoding: Encoding | undefined): Representation {
    const validators = [
      "etag",
      etag,
      "cache-control",
      this.options.cacheControl,
      "vary",
      this.options.vary ?? "accept-encoding",
      ...(this.options.headers ?? [])
    ]
    return {
      etag,
      bytes,
      validators,
      notModified: headOf304(validators),
      headers: [
        ...validators,
        ...(encoding === undefined ? [] : ["content-encoding", encoding]),
        "content-type",
        contentType,
        "content-length",
        String(bytes.byteLength)
      ]
    }
  }
}
