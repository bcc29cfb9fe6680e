/** Waits for the body of a request in front of the routes, where nothing of it may be consumed. */
import type { IncomingMessage } from "node:http"

/** The bytes of the body as its headers say; NaN where they do not. */
export const lengthOf = ({ headers }: IncomingMessage): number =>
  headers["content-length"] === undefined
    ? headers["transfer-encoding"] === undefined
      ? 0
      : Number.NaN
    : Number(headers["content-length"])

/**
 * Calls back once the body has come whole; never where it stays away. Whoever is let in before that would keep his place
 * for as long as he likes, for a byte. One that is longer than what is kept unread is not waited for: the routes refuse it
 * by its length, or, where it does not tell, by what has come.
 */
export const whenThere = (request: IncomingMessage, then: () => void): void => {
  const length = lengthOf(request)
  // So much Node keeps of a body that nobody reads, 64 KiB; it reads the connection no further then.
  const keptBytes = request.readableHighWaterMark
  if (length === 0 || length > keptBytes) return then()
  const isThere = () =>
    request.complete || request.readableLength >= (Number.isNaN(length) ? keptBytes : length)
  // What came in one packet with the headers is there as soon as Node's parser has gone on.
  process.nextTick(() => {
    if (isThere()) return then()
    const more = () => {
      if (!isThere()) return
      request.off("readable", more)
      then()
    }
    request.on("readable", more)
  })
}
