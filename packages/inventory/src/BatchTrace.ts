/** Whom the row of a batch is written for: those who are traced, of all that have asked; mostly there is none. */
import * as Tracing from "@onsale/platform/Tracing"
import type { Effect, Tracer } from "effect"

/** Of a message, where one of its commands is traced. */
export interface MessageTrace {
  /** Under which it waits here; none where this process sends no spans. */
  readonly span: Tracer.AnySpan | undefined
  /** Of the traced commands, each with its correlation id. */
  readonly carried: ReadonlyArray<string>
}

interface Work {
  readonly trace: MessageTrace | undefined
}

/** What the row says of them; undefined where none is traced. */
export const carriedOf = (batch: ReadonlyArray<Work>): string | undefined => {
  let texts: Array<string> | undefined
  for (const { trace } of batch) if (trace !== undefined) (texts ??= []).push(...trace.carried)
  return texts === undefined || texts.length === 0 ? undefined : Tracing.carriedByMany(texts)
}

/** Writes it in the trace of the first, with links to those of the other messages. */
export const written =
  (batch: ReadonlyArray<Work>) =>
  <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    let spans: Array<Tracer.AnySpan> | undefined
    for (const { trace } of batch) if (trace?.span !== undefined) (spans ??= []).push(trace.span)
    return spans === undefined
      ? write
      : Tracing.continued(spans[0], "Inventory.commit", {
          attributes: { "onsale.messages": batch.length },
          links: Tracing.linksTo(spans.slice(1))
        })(write)
  }
