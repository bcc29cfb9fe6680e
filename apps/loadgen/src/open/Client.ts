/** One worker's requests: sends when due, counts, and judges whether an answer may be. */
import { type Answer, bodiless, ConnectionError, post } from "../Connection.ts"
import { type Assignment, lateMs, type RequestKind, requestKinds, type Second } from "./Assignment.ts"
import * as Latencies from "./Latencies.ts"
import { Sender } from "./Sender.ts"

/** Of the Unix epoch, finer than a millisecond, and the same in all threads of this machine. */
export const nowMs = () => performance.timeOrigin + performance.now()

/** Of what was refuted, and of what failed otherwise. */
const keptExamples = 10
/** Beside those that are right for a request: the server has said that it is too busy. */
const tooBusy = new Set([429, 503])

export interface Asking {
  readonly kind: RequestKind
  readonly method: "GET" | "POST" | "DELETE"
  readonly path: string
  readonly headers?: string
  readonly body?: string
  /** Statuses that are right. */
  readonly right: ReadonlyArray<number>
  /** Right as well where the answer comes after this time, of the Unix epoch: what it was about is over. */
  readonly late?: { readonly afterMs: number; readonly right: ReadonlyArray<number> }
  readonly keepBody?: boolean
}

const keep = (examples: Array<string>, what: string): void => {
  if (examples.length < keptExamples) examples.push(what)
}

export class Client {
  readonly statuses: Record<string, number> = {}
  /** Answers that cannot be right, also of the warm-up: those must never come. */
  readonly refuted: Array<string> = []
  /** Of requests that count and got no answer. */
  readonly failures: Array<string> = []
  readonly latencies = new Map<RequestKind, Latencies.Latencies>(
    requestKinds.map((kind) => [kind, Latencies.make()])
  )
  due = 0
  answered = 0
  errors = 0
  reads = 0
  late = 0
  worstLagMs = 0
  wrong = 0
  private readonly sender: Sender
  private readonly host: string
  private readonly fromMs: number
  private readonly toMs: number
  private readonly beginMs: number
  private readonly perSecond = Latencies.make()
  private readonly tell: (second: Second) => void
  private second = 0
  private secondAnswered = 0
  private secondErrors = 0

  constructor(assignment: Assignment, tell: (second: Second) => void) {
    this.sender = new Sender(assignment)
    this.host = assignment.host
    this.beginMs = assignment.beginMs
    this.fromMs = assignment.beginMs + assignment.warmUpSeconds * 1e3
    this.toMs = this.fromMs + assignment.seconds * 1e3
    this.tell = tell
  }

  /** Undefined where no answer came, or one that cannot be right; both are counted. */
  async ask(asking: Asking, dueMs: number): Promise<Answer | undefined> {
    const { body, headers = "", keepBody = false, kind, late, method, path, right } = asking
    const counts = dueMs >= this.fromMs && dueMs < this.toMs
    if (counts) {
      this.due++
      if (method === "GET") this.reads++
      const lag = nowMs() - dueMs
      if (lag > lateMs) this.late++
      if (lag > this.worstLagMs) this.worstLagMs = lag
    }
    const request =
      body === undefined ? bodiless(method, path, this.host, headers) : post(path, this.host, headers, body)
    const answer = await this.sender.ask(request, keepBody)
    const answeredMs = nowMs()
    const broken = answer instanceof ConnectionError
    const isRight =
      !broken &&
      (right.includes(answer.status) ||
        (late !== undefined && answeredMs > late.afterMs && late.right.includes(answer.status)))
    const status = broken ? "none" : String(answer.status)
    this.roll(answeredMs)
    if (counts) {
      this.statuses[`${kind} ${status}`] = (this.statuses[`${kind} ${status}`] ?? 0) + 1
      this.latencies.get(kind)?.record(answeredMs - dueMs)
      if (!isRight) this.errors++
      else if (answeredMs < this.toMs) this.answered++
    }
    this.perSecond.record(answeredMs - dueMs)
    if (isRight) this.secondAnswered++
    else this.secondErrors++
    if (broken || (!isRight && (tooBusy.has(answer.status) || answer.status >= 500))) {
      if (broken && counts) keep(this.failures, `${method} ${path}: ${answer.message}`)
      return undefined
    }
    if (!isRight) this.refute(`${method} ${path}: ${answer.status} ${answer.body?.slice(0, 200) ?? ""}`)
    return isRight ? answer : undefined
  }

  /** An answer that contradicts what was asked. */
  refute(what: string): void {
    this.wrong++
    keep(this.refuted, nowMs() < this.fromMs ? `in the warm-up: ${what}` : what)
  }

  close(): void {
    this.roll(Infinity)
    this.sender.close()
  }

  /** Tells of the seconds that are over. */
  private roll(now: number): void {
    const second = Math.floor((now - this.beginMs) / 1e3)
    if (second <= this.second) return
    this.tell({
      type: "second",
      second: this.second,
      answered: this.secondAnswered,
      errors: this.secondErrors,
      latencies: this.perSecond.encode()
    })
    this.perSecond.clear()
    this.secondAnswered = 0
    this.secondErrors = 0
    this.second = second
  }
}
