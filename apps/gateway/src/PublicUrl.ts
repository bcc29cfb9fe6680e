/**
 * Where the public finds this service: for addresses that leave it in sitemaps, calendars and linked data. By
 * configuration alone: the `Host` of a request is whatever its sender wrote.
 */
import type { EventId } from "@onsale/contracts/Ids"
import { Config, Context, Effect, Layer, Schema } from "effect"

const isPublicUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { hash, password, protocol, search, username } = new URL(text)
  return /^https?:$/.test(protocol) && `${hash}${search}${username}${password}` === ""
}

/** Sitemaps repeat it 50,000 times. */
const maxLength = 200

const BaseUrl = Schema.String.check(
  Schema.isMaxLength(maxLength),
  Schema.makeFilter(isPublicUrl, { expected: "an http(s) address without user, query and fragment" })
)

/** Of an event below the address of the service: this API's own resource, unless a site has pages for events. */
const EventPath = Schema.String.check(
  Schema.isMaxLength(maxLength),
  Schema.isPattern(/^\/[\w./~-]*\{eventId\}[\w./~-]*$/, { expected: "a path with {eventId} in it" })
)

export class PublicUrl extends Context.Service<
  PublicUrl,
  {
    /** Without a slash at its end. */
    readonly base: string
    /** The page of an event. */
    readonly event: (eventId: EventId) => string
  }
>()("@onsale/gateway/PublicUrl") {
  static readonly make = (base: string, eventPath = "/api/v1/events/{eventId}"): PublicUrl["Service"] => {
    const trimmed = new URL(base).href.replace(/\/+$/, "")
    return {
      base: trimmed,
      event: (eventId) => `${trimmed}${eventPath.replace("{eventId}", eventId)}`
    }
  }

  /** `ONSALE_PUBLIC_URL`, this machine when left out, and `ONSALE_EVENT_PATH`. */
  static readonly layer = (port: number) =>
    Layer.effect(
      PublicUrl,
      Effect.map(
        Config.all({
          base: Config.schema(BaseUrl, "ONSALE_PUBLIC_URL").pipe(
            Config.withDefault(`http://localhost:${port}`)
          ),
          eventPath: Config.schema(EventPath, "ONSALE_EVENT_PATH").pipe(
            Config.withDefault("/api/v1/events/{eventId}")
          )
        }),
        ({ base, eventPath }) => PublicUrl.make(base, eventPath)
      )
    )
}
