import { assert, describe, it } from "@effect/vitest"
import * as JobWorker from "@onsale/platform/JobWorker"
import * as Jobs from "@onsale/platform/Jobs"
import { pollUntil } from "@onsale/testing/Poll"
import { layerDatabase } from "@onsale/testing/PostgresFixture"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Ref, Schema, Scope } from "effect"
import { SqlClient } from "effect/sql"

class Refused extends Schema.TaggedError<Refused>()("Refused", { final: Schema.Boolean }) {}

const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE SCHEMA work`
  yield* Jobs.createTable("work")
})

const Payload = Schema.Struct({ n: Schema.Int })
const makeQueue = (queue: string) => Jobs.make({ schema: "work", queue, payload: Payload })
type Queue = Effect.Success<ReturnType<typeof makeQueue>>
type Handle = JobWorker.WorkerOptions<typeof Payload.Type, Refused, never>["handle"]

/** A worker that lives as long as the scope of the test. */
const work = (
  queue: Queue,
  handle: Handle,
  more: Pick<JobWorker.WorkerOptions<never, Refused, never>, "drainFor" | "gatherFor" | "retryAfter"> = {}
) =>
  Layer.build(
    JobWorker.worker({
      queue,
      handle,
      isFinal: (error) => error.final,
      concurrency: 4,
      maxAttempts: 3,
      backoff: "1 millis",
      maxBackoff: "5 millis",
      pollEvery: "10 millis",
      ...more
    })
  )

const idle = (queue: Queue) => pollUntil(queue.backlog, ({ waiting }) => waiting === 0)

describe("Jobs", () => {
  it.live("a job is done once, however often it is offered", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("once")
      const done = yield* Ref.make<ReadonlyArray<string>>([])
      for (let i = 0; i < 3; i++) yield* queue.offer("a", { n: 1 })
      yield* work(queue, (job) =>
        Ref.update(done, (all) => [...all, `${job.id} ${job.payload.n} ${job.attempt}`])
      )
      yield* queue.offer("b", { n: 2 }, { correlation: "c" })
      yield* idle(queue)
      yield* queue.offer("a", { n: 1 })
      yield* idle(queue)
      assert.deepStrictEqual((yield* Ref.get(done)).toSorted(), ["a 1 1", "b 2 1"])
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a job offered in a transaction that is rolled back was never there", () =>
    Effect.gen(function* () {
      yield* prepare
      const sql = yield* SqlClient.SqlClient
      const queue = yield* makeQueue("rollback")
      yield* Effect.ignore(sql.withTransaction(Effect.andThen(queue.offer("a", { n: 1 }), Effect.fail("no"))))
      assert.strictEqual((yield* queue.backlog).waiting, 0)
      yield* sql.withTransaction(queue.offer("a", { n: 1 }))
      assert.strictEqual((yield* queue.backlog).waiting, 1)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a failure is repeated, and the last one leaves a dead letter that can be revived", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("dead")
      const attempts = yield* Ref.make(0)
      const cured = yield* Ref.make(false)
      yield* work(queue, (job) =>
        Effect.gen(function* () {
          yield* Ref.update(attempts, (n) => n + 1)
          if (!(yield* Ref.get(cured))) return yield* new Refused({ final: job.payload.n === 2 })
        })
      )
      yield* queue.offer("tries", { n: 1 })
      yield* idle(queue)
      assert.strictEqual(yield* Ref.get(attempts), 3)
      yield* queue.offer("final", { n: 2 })
      yield* idle(queue)
      assert.strictEqual(yield* Ref.get(attempts), 4)
      const dead = yield* queue.dead(10)
      assert.deepStrictEqual(
        dead.map(({ attempts, id }) => [id, attempts]),
        [
          ["tries", 3],
          ["final", 1]
        ]
      )
      assert.include(dead[0]?.lastError ?? "", "Refused")
      yield* Ref.set(cured, true)
      assert.isTrue(yield* queue.revive("tries"))
      assert.isFalse(yield* queue.revive("unknown"))
      yield* pollUntil(queue.backlog, ({ dead, waiting }) => waiting === 0 && dead === 1)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a payload that cannot be read is a dead letter at once", () =>
    Effect.gen(function* () {
      yield* prepare
      const sql = yield* SqlClient.SqlClient
      const queue = yield* makeQueue("strange")
      yield* sql`INSERT INTO work.jobs (queue, id, payload, run_at) VALUES ('strange', 'x', '{"m":1}', now())`
      yield* work(queue, () => Effect.void)
      yield* idle(queue)
      assert.strictEqual((yield* queue.dead(1))[0]?.attempts, 1)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a lease that was left behind runs out, and the job is done by somebody else", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("crash")
      yield* queue.offer("a", { n: 1 })
      // A process that dies: it has leased the job and never comes back.
      const [lost] = yield* queue.lease(0.05, 1)
      const done = yield* Ref.make(0)
      yield* work(queue, (job) => Ref.set(done, job.attempt))
      yield* idle(queue)
      assert.strictEqual(yield* Ref.get(done), 2)
      // And if it does come back, it has no say any more.
      yield* queue.fail(lost ?? assert.fail("nothing was leased"), "too late")
      assert.strictEqual((yield* queue.backlog).dead, 0)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("as many as can be begun are leased at once, the longest due first, each to one worker", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("many")
      for (const n of [1, 2, 3, 4, 5]) yield* queue.offer(`${n}`, { n })
      const both = yield* Effect.all([queue.lease(60, 2), queue.lease(60, 2)], { concurrency: 2 })
      const ids = both.map((jobs) => jobs.map(({ id }) => id))
      assert.deepStrictEqual(ids.flat().toSorted(), ["1", "2", "3", "4"])
      for (const of of ids) assert.deepStrictEqual(of, of.toSorted())
      assert.deepStrictEqual(
        (yield* queue.lease(60, 16)).map(({ id }) => id),
        ["5"]
      )
      assert.isEmpty(yield* queue.lease(60, 16))
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("what was done is settled with the next lease, by the attempt that did it alone", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("settled")
      for (const n of [1, 2, 3]) yield* queue.offer(`${n}`, { n })
      const [first, second] = yield* queue.lease(60, 2)
      const [lost] = yield* queue.lease(0.01, 1)
      const again = yield* pollUntil(queue.lease(60, 1), ({ length }) => length === 1)
      const done = [first, second, lost].map((job) => job ?? assert.fail("nothing was leased"))
      assert.isEmpty(yield* queue.lease(60, 16, done))
      assert.strictEqual((yield* queue.backlog).waiting, 1)
      yield* queue.lease(60, 0, again)
      assert.strictEqual((yield* queue.backlog).waiting, 0)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("what is done is settled also where nothing comes after it, and while the worker is full", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("behind")
      for (const n of [1, 2, 3, 4, 5]) yield* queue.offer(`${n}`, { n })
      const scope = yield* Scope.make()
      yield* work(queue, (job) => (job.payload.n === 1 ? Effect.never : Effect.void), {
        gatherFor: "20 millis",
        drainFor: "10 millis"
      }).pipe(Scope.provide(scope))
      yield* pollUntil(queue.backlog, ({ waiting }) => waiting === 1)
      yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a job whose attempts all ended without a word is not tried for ever", () =>
    Effect.gen(function* () {
      yield* prepare
      const sql = yield* SqlClient.SqlClient
      const queue = yield* makeQueue("poison")
      yield* queue.offer("a", { n: 1 })
      yield* sql`UPDATE work.jobs SET attempts = 3`
      const done = yield* Ref.make(0)
      yield* work(queue, () => Ref.update(done, (n) => n + 1))
      yield* idle(queue)
      assert.strictEqual(yield* Ref.get(done), 0)
      assert.strictEqual((yield* queue.backlog).dead, 1)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("two workers share a queue, and each job is done by one of them", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("shared")
      const done = yield* Ref.make<ReadonlyArray<string>>([])
      const handle: Handle = (job) => Ref.update(done, (all) => [...all, job.id])
      yield* work(queue, handle)
      yield* work(yield* makeQueue("shared"), handle)
      const ids = Array.from({ length: 100 }, (_, i) => String(i).padStart(3, "0"))
      yield* Effect.forEach(ids, (id, n) => queue.offer(id, { n }), { concurrency: 4 })
      yield* idle(queue)
      assert.deepStrictEqual((yield* Ref.get(done)).toSorted(), ids)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a worker that stops waits for what it has begun", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("drain")
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      yield* work(queue, () => Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(goOn))).pipe(
        Scope.provide(scope)
      )
      yield* queue.offer("a", { n: 1 })
      yield* Deferred.await(begun)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* queue.backlog, {
        waiting: 0,
        dead: 0,
        oldestWaitingMs: 0,
        oldestDeadMs: 0
      })
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("what is not done in time when it stops is given back, with its attempt", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("giveback")
      const begun = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      yield* work(queue, () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never), {
        drainFor: "10 millis"
      }).pipe(Scope.provide(scope))
      yield* queue.offer("a", { n: 1 })
      yield* Deferred.await(begun)
      yield* Scope.close(scope, Exit.void)
      const attempt = yield* Ref.make(0)
      yield* work(queue, (job) => Ref.set(attempt, job.attempt))
      yield* idle(queue)
      assert.strictEqual(yield* Ref.get(attempt), 1)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("many are offered at once, those that are known left as they are", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("many")
      const done = yield* Ref.make(0)
      yield* queue.offer("1", { n: 1 })
      yield* queue.offerAll([])
      yield* queue.offerAll(Array.from({ length: 50 }, (_, n) => ({ id: String(n), payload: { n } })))
      yield* work(queue, () => Ref.update(done, (count) => count + 1))
      yield* idle(queue)
      assert.strictEqual(yield* Ref.get(done), 50)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a job is done again on demand, also a forgotten one, but not while it waits", () =>
    Effect.gen(function* () {
      yield* prepare
      const sql = yield* SqlClient.SqlClient
      const queue = yield* makeQueue("again")
      const attempts = yield* Ref.make<ReadonlyArray<number>>([])
      yield* queue.offer("a", { n: 1 })
      yield* queue.again("a", { n: 1 })
      yield* work(queue, (job) => Ref.update(attempts, (all) => [...all, job.attempt]))
      yield* idle(queue)
      yield* queue.again("a", { n: 1 })
      yield* idle(queue)
      yield* sql`DELETE FROM work.jobs`
      yield* queue.again("a", { n: 1 })
      yield* idle(queue)
      assert.deepStrictEqual(yield* Ref.get(attempts), [1, 1, 1])
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a job is done again on demand also where its worker has not settled it yet", () =>
    Effect.gen(function* () {
      yield* prepare
      const queue = yield* makeQueue("unsettled")
      yield* queue.offer("a", { n: 1 })
      const done = yield* queue.lease(60, 1)
      yield* queue.again("a", { n: 1 })
      // Of the attempt before: it has no say over what was asked for since.
      yield* queue.lease(60, 0, done)
      const again = yield* queue.lease(60, 1)
      assert.deepStrictEqual(
        again.map(({ attempts, id }) => [id, attempts]),
        [["a", 1]]
      )
      // Nor while another is at it, whose attempt has the same number.
      const late = done[0] ?? assert.fail("nothing was leased")
      yield* queue.lease(60, 0, done)
      yield* queue.retry(late, Duration.zero, "late")
      yield* queue.fail(late, "late")
      yield* queue.release(late)
      assert.strictEqual((yield* queue.backlog).waiting, 1)
      assert.isEmpty(yield* queue.lease(60, 1))
      yield* queue.lease(60, 0, again)
      assert.strictEqual((yield* queue.backlog).waiting, 0)
    }).pipe(Effect.provide(layerDatabase))
  )

  it.live("a failure that says when to come again is not tried before", () =>
    Effect.gen(function* () {
      yield* prepare
      const sql = yield* SqlClient.SqlClient
      const queue = yield* makeQueue("after")
      yield* queue.offer("a", { n: 1 })
      yield* work(queue, () => Effect.fail(new Refused({ final: false })), {
        retryAfter: () => Duration.minutes(20)
      })
      const waits = sql<{ readonly minutes: number }>`SELECT
        (extract(epoch FROM run_at - clock_timestamp()) / 60)::float8 AS minutes
        FROM work.jobs WHERE attempts = 1 AND leased_until IS NULL`
      const [row] = yield* pollUntil(waits, (rows) => rows.length > 0, { deadline: "45 seconds" })
      assert.isAbove(row?.minutes ?? 0, 18)
    }).pipe(Effect.provide(layerDatabase))
  )
})
