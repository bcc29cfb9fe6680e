/**
 * Server-sent events of availability for thousands of viewers, in front of the routes: once it has its head, a viewer
 * is a socket that the fiber which polls its event writes to (`AvailabilityViewers`). Whatever does not ask in the
 * usual form goes on to the typed route (`AvailabilityStreamHttp`), which says the same.
 */
import { EventId } from "@onsale/contracts/Ids"
import type * as RequestFront from "@onsale/platform/RequestFront"
import { Stopping } from "@onsale/platform/Stopping"
import { Clock, Config, Deferred, Duration, Effect, FiberSet, Random, Schema } from "effect"
import type { HttpServerResponse } from "effect/http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import * as AvailabilityEvents from "./AvailabilityEvents.ts"
import { AvailabilityFeed } from "./AvailabilityFeed.ts"
import * as Pace from "./AvailabilityPace.ts"
import * as AvailabilityStreamHttp from "./AvailabilityStreamHttp.ts"
import type { AvailabilityTopic } from "./AvailabilityTopic.ts"
import { type AvailabilityViewers, make as makeViewers, type Viewer as Told } from "./AvailabilityViewers.ts"
import { answerHeaders, correlationOf } from "./Correlation.ts"
import * as EventOperations from "./EventOperations.ts"
import * as FailedRequest from "./FailedRequest.ts"
import * as LeanAnswer from "./LeanAnswer.ts"

const prefix = "/api/v1/events/"
const suffix = "/availability/stream"
const idLength = 36
const urlLength = prefix.length + idLength + suffix.length

/** `ONSALE_VIEWER_HEARTBEAT`: proxies close what is silent, most of them after a minute. */
const heartbeat = Config.Duration("ONSALE_VIEWER_HEARTBEAT").pipe(Config.withDefault("15 seconds"))
/** Those who are told that their stream ends have so long to take it. */
const farewell = Duration.seconds(2)
/** An inventory that this process cannot reach for so long, another one may: its viewers are sent there. */
const giveUpAfterMs = 60_000
/** Viewers that are sent away before others get the thread. */
const aChunk = 256

const isEventId = Schema.is(EventId)

interface Viewer extends Told {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
}

interface WatchedEvent {
  readonly topic: AvailabilityTopic
  readonly viewers: AvailabilityViewers<Viewer>
  /** True where nothing was known of it for so long that its viewers have to go elsewhere, or it is there no more. */
  readonly givenUp: () => boolean
}

/** An event with viewers. */
interface Channel {
  /** Where the event is looked up: those who wait for it. */
  readonly waiting: Set<Viewer>
  /** Undefined meanwhile. */
  watched: WatchedEvent | undefined
  /** Done when the last viewer has gone. */
  readonly left: Deferred.Deferred<void>
}

/** Of a request for a stream in the usual form. */
const eventIdOf = ({ method, url }: IncomingMessage): EventId | undefined => {
  if (method !== "GET" || url?.length !== urlLength) return undefined
  if (!url.startsWith(prefix) || !url.endsWith(suffix)) return undefined
  const id = url.slice(prefix.length, prefix.length + idLength)
  // The catalog takes other cases as well.
  return isEventId(id) && id === id.toLowerCase() ? id : undefined
}

/** Every browser does. */
const takesGzip = ({ headers }: IncomingMessage): boolean =>
  String(headers["accept-encoding"] ?? "")
    .split(",")
    .some((entry) => /^\s*gzip\s*(;|$)/i.test(entry) && !/;\s*q=0(\.0*)?\s*$/.test(entry))

/** In front of somebody else who stands in front. */
export const before = Effect.fnUntraced(function* (front: RequestFront.RequestFront) {
  const feed = yield* AvailabilityFeed
  const events = yield* EventOperations.make
  const stopping = yield* Stopping
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const write = yield* LeanAnswer.makeWrite
  const heartbeatMs = Duration.toMillis(yield* heartbeat)
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const channels = new Map<EventId, Channel>()
  const streaming = new Map<Socket, Viewer>()
  let stopped = false

  /** By the clock that only goes forward. */
  const nowMs = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
  const draw = () => random.nextDoubleUnsafe()
  const sayRetry = ({ gzip, socket }: Viewer): void => {
    const bytes = AvailabilityEvents.stored(AvailabilityEvents.retry(Pace.returnMs(feed.viewers(), draw())))
    socket.write(gzip ? bytes.deflated : bytes.plain)
  }
  /** Ends the connection when that is taken. */
  const sendOff = (viewer: Viewer): void => {
    if (viewer.response.writableEnded) return
    sayRetry(viewer)
    viewer.response.end()
  }
  const answer = (
    request: IncomingMessage,
    response: ServerResponse,
    effect: Effect.Effect<HttpServerResponse.HttpServerResponse>
  ) => write(request, response, correlationOf(request.headers, clock), effect)
  /** Not the same for all: they would all come back at once. */
  const refuse = (request: IncomingMessage, response: ServerResponse) =>
    answer(
      request,
      response,
      Effect.succeed(FailedRequest.unanswered({ retryAfterSeconds: Math.ceil(5 + 10 * draw()) }))
    )

  const begin = (viewer: Viewer, { topic, viewers }: WatchedEvent): void => {
    const { gzip, request, response, socket } = viewer
    const correlation = correlationOf(request.headers, clock)
    // The body ends with the connection: the same bytes for everybody, HTTP/1.0 proxies among them.
    response.removeHeader("transfer-encoding")
    response.writeHead(200, {
      ...AvailabilityStreamHttp.headers,
      ...(gzip ? { "content-encoding": "gzip" } : {}),
      ...answerHeaders(request.headers, correlation)
    })
    response.flushHeaders()
    if (gzip) socket.write(AvailabilityEvents.gzipHead)
    sayRetry(viewer)
    const id = request.headers["last-event-id"]
    viewer.told = typeof id === "string" ? topic.toldAtId(id) : undefined
    streaming.set(socket, viewer)
    viewers.add(viewer)
  }

  /** Tells all of them to come back, each at a time of its own, and ends their connections. */
  const dismiss = Effect.fnUntraced(function* (viewers: AvailabilityViewers<Viewer>) {
    const dismissed = Array.from(viewers.all)
    if (dismissed.length === 0) return
    for (const [i, viewer] of dismissed.entries()) {
      if (i % aChunk === aChunk - 1) yield* Effect.yieldNow
      if (!viewers.all.has(viewer)) continue
      // Nothing is written behind the end.
      viewers.remove(viewer)
      sendOff(viewer)
    }
    run(
      Effect.andThen(
        Effect.sleep(farewell),
        Effect.sync(() => {
          for (const { socket } of dismissed) if (streaming.has(socket)) socket.destroy()
        })
      )
    )
  })

  const close = (eventId: EventId, channel: Channel): void => {
    if (channels.get(eventId) === channel) channels.delete(eventId)
    Deferred.doneUnsafe(channel.left, Effect.void)
  }

  /** Looks the event up, and watches it for as long as it has viewers. */
  const serve = Effect.fnUntraced(function* (eventId: EventId, channel: Channel) {
    yield* events.exists(eventId)
    const watched = yield* feed.open(eventId)
    const { topic } = watched
    const viewers = makeViewers<Viewer>(topic, {
      heartbeatMs,
      nowMs,
      staleSince: () => watched.away?.since
    })
    const givenUp = () =>
      watched.gone || (watched.away !== undefined && nowMs() - watched.away.sinceMs > giveUpAfterMs)
    channel.watched = { topic, viewers, givenUp }
    const turn = Effect.suspend(() => (givenUp() ? dismiss(viewers) : viewers.turn))
    watched.turn = turn
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        // Others may watch it again by now.
        if (watched.turn === turn) watched.turn = Effect.void
      })
    )
    for (const viewer of channel.waiting) begin(viewer, channel.watched)
    channel.waiting.clear()
    // All who waited may have gone meanwhile.
    if (viewers.all.size === 0) close(eventId, channel)
    yield* Deferred.await(channel.left)
  }, Effect.scoped)

  /** For the viewers that wait in it, as all may be known at once. */
  const start = (eventId: EventId, channel: Channel): void => {
    channels.set(eventId, channel)
    run(
      serve(eventId, channel).pipe(
        Effect.catchCause((cause) =>
          Effect.sync(() => {
            close(eventId, channel)
            for (const { request, response } of channel.waiting) {
              answer(request, response, Effect.catch(Effect.failCause(cause), LeanAnswer.ofProblem))
            }
            channel.waiting.clear()
          })
        )
      )
    )
  }

  const leave = (eventId: EventId, channel: Channel, viewer: Viewer): void => {
    feed.leave()
    streaming.delete(viewer.socket)
    channel.waiting.delete(viewer)
    channel.watched?.viewers.remove(viewer)
    if (channel.waiting.size > 0 || channel.watched === undefined || channel.watched.viewers.all.size > 0)
      return
    close(eventId, channel)
  }

  yield* Effect.forkScoped(
    Effect.gen(function* () {
      yield* stopping
      stopped = true
      for (const viewer of Array.from(streaming.values())) sendOff(viewer)
      yield* Effect.sleep(farewell)
      for (const socket of streaming.keys()) socket.destroy()
    })
  )
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const socket of streaming.keys()) socket.destroy()
    })
  )

  const streams: RequestFront.RequestFront = (request, response, next) => {
    // Who has a stream can ask for nothing else on its connection, whose end is the stream's.
    if (streaming.has(request.socket)) return void request.socket.destroy()
    const eventId = eventIdOf(request)
    // Behind another request that is not answered yet, the connection is not ours to write to.
    if (eventId === undefined || response.socket === null) return front(request, response, next)
    const open = channels.get(eventId)
    if (stopped || open?.watched?.givenUp() === true || !feed.enter()) return refuse(request, response)
    const viewer: Viewer = {
      request,
      response,
      socket: response.socket,
      gzip: takesGzip(request),
      told: undefined,
      stale: false,
      wroteAtMs: nowMs()
    }
    const channel = open ?? { waiting: new Set(), watched: undefined, left: Deferred.makeUnsafe() }
    response.once("close", () => leave(eventId, channel, viewer))
    if (channel.watched !== undefined) return begin(viewer, channel.watched)
    channel.waiting.add(viewer)
    if (open === undefined) start(eventId, channel)
  }
  return streams
})
