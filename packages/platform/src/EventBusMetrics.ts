import { Metric } from "effect"

export const published = Metric.counter("onsale_bus_published_total", {
  description: "Events that the bus has taken, by topic",
  incremental: true
})

/** `outcome`: done, retried, dead. */
export const handled = Metric.counter("onsale_bus_handled_total", {
  description: "Attempts at events, by topic, group and how they ended",
  incremental: true
})

export const lag = Metric.gauge("onsale_bus_lag", {
  description: "Events of a topic that a group has not settled yet"
})

export const deadLetters = Metric.gauge("onsale_bus_dead_letters", {
  description: "Dead letters of a group that were not replayed"
})

export const countPublished = (topic: string, events: number) =>
  Metric.update(Metric.withAttributes(published, { topic }), events)
