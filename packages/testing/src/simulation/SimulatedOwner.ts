/**
 * A runner that has the event: the real writer on a clock and a scheduler of its own, that can be frozen,
 * crashed and stopped between any two of its steps. What the entity does for the writer is done here: when
 * it dies another one is started, and asked again what was under way.
 */
import type { EventId } from "@onsale/contracts/Ids"
import type { SaleLayout } from "@onsale/contracts/inventory/SaleLayout"
import { InventoryStore } from "@onsale/inventory/InventoryStore"
import * as InventoryWriter from "@onsale/inventory/InventoryWriter"
import { JournalConflict } from "@onsale/platform/Journal"
import { Cause, Clock, Context, Duration, Effect, Exit, References, Scheduler, Scope } from "effect"
import { ConnectionLost, type SimulatedJournal } from "./SimulatedJournal.ts"
import type { World } from "./World.ts"

/** What is asked of the writer, and what is done with its answer. */
interface Request {
  readonly ask: (
    writer: InventoryWriter.InventoryWriter
  ) => Effect.Effect<() => void, { readonly _tag: string }>
}

/** As the entity's policy for writers that died. */
const restartAfterMs = 200

export class SimulatedOwner {
  readonly name: string
  condition: "up" | "frozen" | "stopping" | "gone" = "up"
  private readonly world: World
  private readonly eventId: EventId
  private readonly clock: Clock.Clock
  private readonly context: Context.Context<InventoryStore>
  private readonly tasks: Array<() => void> = []
  /** What arrived while it was frozen. */
  private mail: Array<() => void> = []
  private readonly requests = new Set<Request>()
  private writer: InventoryWriter.InventoryWriter | undefined
  private scope: Scope.Closeable
  private generation = 0

  constructor(
    world: World,
    options: {
      readonly name: string
      readonly eventId: EventId
      readonly journal: SimulatedJournal
      /** How far its clock is ahead. */
      readonly skewMs: number
      /** After how many steps its fibers let the others have a turn. */
      readonly opsATurn: number
    }
  ) {
    this.world = world
    this.name = options.name
    this.eventId = options.eventId
    this.scope = Scope.makeUnsafe()
    const millis = () => world.nowMs + options.skewMs
    const nanos = () => BigInt(millis()) * 1_000_000n
    this.clock = {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const cancel = world.after(Duration.toMillis(duration), () =>
            this.deliver(() => resume(Effect.void))
          )
          return Effect.sync(cancel)
        })
    }
    this.context = Context.make(InventoryStore, options.journal.storeOf(this)).pipe(
      Context.add(Clock.Clock, this.clock),
      Context.add(References.MinimumLogLevel, "None"),
      Context.add(Scheduler.MaxOpsBeforeYield, options.opsATurn),
      Context.add(
        Scheduler.Scheduler,
        new Scheduler.MixedScheduler("sync", (task) => {
          let cancelled = false
          this.tasks.push(() => {
            if (!cancelled) task()
          })
          return () => {
            cancelled = true
          }
        })
      )
    )
    world.tell(() => `${this.name} starts, its clock ${options.skewMs} ms ahead`)
    this.start()
  }

  /** Its own time, as its writer sees it where the stream is not ahead. */
  get nowMs(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** How much it was asked and has not answered. */
  get unanswered(): number {
    return this.requests.size
  }

  /** Something reaches it: now, when it thaws, or never. */
  readonly deliver = (what: () => void): void => {
    if (this.condition === "frozen") this.mail.push(what)
    else if (this.condition !== "gone") what()
  }

  /** Runs what it has to do; true where there was something. */
  flush(): boolean {
    if (this.condition === "frozen" || this.condition === "gone" || this.tasks.length === 0) return false
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) task()
    return true
  }

  private run<A, E>(
    effect: Effect.Effect<A, E, InventoryStore>,
    done: (exit: Exit.Exit<A, E>) => void
  ): void {
    Effect.runForkWith(this.context)(effect).addObserver(done)
  }

  private start(): void {
    const generation = ++this.generation
    this.scope = Scope.makeUnsafe()
    this.run(InventoryWriter.make(this.eventId).pipe(Scope.provide(this.scope)), (exit) => {
      if (generation !== this.generation) return
      if (Exit.isFailure(exit)) return this.restart(generation, exit.cause)
      this.writer = exit.value
      for (const request of this.requests) this.dispatch(request)
    })
  }

  private restart(generation: number, cause: Cause.Cause<unknown>): void {
    if (generation !== this.generation) return
    this.generation++
    this.writer = undefined
    for (const { defect } of cause.reasons.filter(Cause.isDieReason)) {
      if (!(defect instanceof JournalConflict || defect instanceof ConnectionLost))
        this.world.breach(`the writer of ${this.name} died of ${String(defect)}`)
    }
    this.world.tell(() => `${this.name} loses its writer: ${Cause.pretty(cause).split("\n")[0]}`)
    this.run(Scope.close(this.scope, Exit.void), () => {})
    this.world.after(restartAfterMs, () => this.deliver(() => this.start()))
  }

  private dispatch(request: Request): void {
    const { generation, writer } = this
    if (writer === undefined) return
    this.run(request.ask(writer), (exit) => {
      if (Exit.isSuccess(exit)) {
        this.requests.delete(request)
        return exit.value()
      }
      const typed = exit.cause.reasons.find(Cause.isFailReason)
      // Nobody fills the queue here: what else it is said for is a broken invariant.
      if (typed !== undefined) this.world.breach(`the writer of ${this.name} gives up a batch`)
      this.restart(generation, exit.cause)
    })
  }

  /** Asks its writer, and again the next one where that dies. */
  ask<A>(
    of: (writer: InventoryWriter.InventoryWriter) => Effect.Effect<A, { readonly _tag: string }>,
    reply: (answer: A) => void
  ): void {
    if (this.condition === "stopping") return
    const request: Request = {
      ask: (writer) => Effect.map(of(writer), (answer) => () => reply(answer))
    }
    this.requests.add(request)
    this.dispatch(request)
  }

  open(layout: SaleLayout): void {
    this.ask(
      (writer) =>
        writer.open(layout).pipe(
          Effect.as(""),
          Effect.catchTag("LayoutRefused", ({ problem }) => Effect.succeed(problem))
        ),
      (problem) => {
        // One that was asked long ago and is asked again when a wider one is there.
        if (problem !== "") this.world.tell(() => `${this.name} refuses a layout: ${problem}`)
      }
    )
  }

  freeze(): void {
    this.world.tell(() => `${this.name} freezes`)
    this.condition = "frozen"
  }

  thaw(): void {
    if (this.condition !== "frozen") return
    this.world.tell(() => `${this.name} wakes up`)
    this.condition = "up"
    const { mail } = this
    this.mail = []
    for (const what of mail) this.deliver(what)
  }

  crash(): void {
    this.world.tell(() => `${this.name} crashes`)
    this.condition = "gone"
    this.tasks.length = 0
    this.mail = []
  }

  /** Finishes what it has taken, writes its snapshot and goes. */
  stop(): void {
    this.world.tell(() => `${this.name} stops`)
    this.condition = "stopping"
    this.run(Scope.close(this.scope, Exit.void), () => {
      this.world.tell(() => `${this.name} is gone`)
      this.condition = "gone"
    })
  }
}
