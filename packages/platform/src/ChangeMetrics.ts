/** What operators see of change feeds, by the feed's publication. */
import { Metric } from "effect"

/** 1 where somebody follows, in whatever process; 0 where nobody can. */
export const followed = Metric.gauge("onsale_changes_followed", {
  description: "Whether changes of rows by SQL are followed: 1 or 0"
})

export const lagBytes = Metric.gauge("onsale_changes_lag_bytes", {
  description: "The log that Postgres keeps because changes were not handled yet, in bytes"
})

export const lagMs = Metric.gauge("onsale_changes_lag_ms", {
  description: "Age of the oldest commit that was received and not handled yet, in milliseconds"
})

export const handled = Metric.counter("onsale_changes_handled_total", {
  description: "Changes of rows that were handled",
  incremental: true
})

export const failures = Metric.counter("onsale_changes_failures_total", {
  description: "Calls of the handler of changes that failed and were repeated",
  incremental: true
})

export const lost = Metric.counter("onsale_changes_slot_lost_total", {
  description: "Replication slots that Postgres had given up, and that were made anew",
  incremental: true
})
