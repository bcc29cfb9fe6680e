import { type Edge, minutes, onlyA } from "./Edge.ts"

const roles = ["gateway", "booking", "payment", "notification"]

/** Each alert of `infra/prometheus/rules.yml`, for each of its causes. */
export const edges: ReadonlyArray<Edge> = [
  {
    alert: "OnsaleShardsUnowned",
    gauges: onlyA("effect_cluster_shards", "", [300, 299]),
    from: 15
  },
  {
    alert: "OnsaleRunnerGone",
    cause: "the others take it for dead",
    gauges: {
      ...onlyA("effect_cluster_runners_healthy", "", [1, 0]),
      ...onlyA("effect_cluster_runners", "", [1, 1])
    },
    from: 30
  },
  {
    alert: "OnsaleRunnerGone",
    cause: "scaled down, for as long as is looked back",
    gauges: {
      'effect_cluster_runners_healthy{instance="a"}': [1, 1],
      'effect_cluster_runners_healthy{instance="b"}': [1, null],
      'effect_cluster_runners{instance="a"}': [1, 1],
      'effect_cluster_runners{instance="b"}': [1, null]
    },
    from: 30,
    until: 10 * minutes,
    good: 12 * minutes,
    early: 30
  },
  ...roles.map((role) => ({
    alert: "OnsaleRoleAbsent",
    cause: `${role} alone`,
    gauges: Object.fromEntries(roles.map((one) => [`up{job="${one}"}`, [1, one === role ? 0 : 1] as const])),
    from: 30
  })),
  {
    alert: "OnsaleShardReleaseStuck",
    gauges: { 'effect_cluster_shards_releasing{instance="a"}': [0, 1] },
    from: 30
  },
  {
    alert: "OnsaleRunnerEvicted",
    counters: onlyA("onsale_cluster_evictions", "", [0, 1]),
    from: 0,
    good: 15,
    until: 10 * minutes,
    early: 30
  },
  {
    alert: "OnsaleEventOverloaded",
    // A minute's rate is over one a second with the first of these looks, and until the third after the last.
    counters: {
      'onsale_lane_commands_total{event="e",outcome="refused",instance="a"}': [5, 16],
      'onsale_lane_commands_total{event="e",outcome="refused",instance="b"}': [5, 15]
    },
    from: 30,
    good: 90,
    until: 135,
    early: 30
  },
  {
    alert: "OnsaleEventBusLag",
    cause: "far behind, and at work",
    gauges: onlyA("onsale_bus_lag", 'topic="t",group="g",', [1000, 1001]),
    counters: { 'onsale_bus_handled_total{topic="t",group="g",outcome="done"}': [1, 1] },
    from: 1 * minutes
  },
  {
    alert: "OnsaleEventBusLag",
    cause: "one event, and it does not even give up any more",
    gauges: { 'onsale_bus_lag{topic="t",group="g",instance="a"}': [1, 1] },
    counters: {
      'onsale_bus_handled_total{topic="t",group="g",outcome="done"}': [0, 0],
      'onsale_bus_handled_total{topic="t",group="g",outcome="dead"}': [1, 0]
    },
    from: 3 * minutes,
    good: 4 * minutes,
    early: 45
  },
  {
    alert: "OnsaleRelayLag",
    gauges: onlyA("onsale_relay_lag_ms", 'relay="booking.bus",', [30_000, 30_001]),
    from: 2 * minutes
  },
  {
    alert: "OnsaleDeadLetters",
    cause: "a bus that counts them",
    gauges: onlyA("onsale_bus_dead_letters", 'topic="t",group="g",', [0, 1]),
    from: 30
  },
  {
    alert: "OnsaleDeadLetters",
    cause: "a bus that does not",
    counters: {
      'onsale_bus_handled_total{topic="t",group="g",outcome="dead",instance="a"}': [0, 1],
      'onsale_bus_handled_total{topic="t",group="g",outcome="done",instance="a"}': [1, 1]
    },
    from: 30,
    good: 15,
    until: 60 * minutes,
    early: 30
  },
  {
    alert: "OnsaleNotificationDeadLetters",
    gauges: onlyA("onsale_notification_dead_letters", 'queue="email",', [0, 1]),
    from: 1 * minutes
  },
  {
    alert: "OnsaleNotificationsStuck",
    gauges: onlyA("onsale_notification_stuck", 'queue="email",', [0, 1]),
    from: 1 * minutes
  },
  {
    alert: "OnsaleNotificationBreakerOpen",
    gauges: onlyA("onsale_notification_breaker_open", 'channel="email",provider="mail.example",', [0, 1]),
    from: 5 * minutes
  },
  {
    alert: "OnsaleProjectionLag",
    gauges: { 'onsale_projection_lag_ms{projection="p"}': [5000, 5001] },
    from: 1 * minutes
  },
  {
    alert: "OnsaleWebhooksLate",
    gauges: onlyA("onsale_webhook_overdue_ms", "", [60_000, 60_001]),
    from: 1 * minutes
  },
  {
    alert: "OnsaleWebhookDeadLetters",
    gauges: onlyA("onsale_webhook_dead_letters", "", [0, 1]),
    from: 1 * minutes
  },
  {
    alert: "OnsaleWebhookDisabled",
    gauges: onlyA("onsale_webhook_disabled", "", [0, 1]),
    from: 1 * minutes
  },
  {
    alert: "OnsaleChangesNotFollowed",
    gauges: onlyA("onsale_changes_followed", "", [1, 0]),
    from: 2 * minutes
  },
  {
    alert: "OnsaleChangesLag",
    cause: "a handler that fails",
    gauges: { onsale_changes_lag_ms: [30_000, 30_001], onsale_changes_lag_bytes: [1e9, 1e9] },
    from: 1 * minutes
  },
  {
    alert: "OnsaleChangesLag",
    cause: "log that nobody takes",
    gauges: { onsale_changes_lag_ms: [30_000, 30_000], onsale_changes_lag_bytes: [1e9, 1e9 + 1] },
    from: 1 * minutes
  },
  {
    alert: "OnsaleChangesLost",
    counters: { onsale_changes_slot_lost_total: [0, 1] },
    from: 0,
    good: 15,
    until: 15 * minutes,
    early: 30
  },
  {
    alert: "OnsaleReconciliationDifferences",
    gauges: { 'onsale_reconciliation_open_differences{provider="p"}': [0, 1] },
    from: 5 * minutes
  },
  {
    alert: "OnsaleBreakerOpen",
    gauges: { 'onsale_payment_breaker_open{provider="p"}': [0, 1] },
    from: 1 * minutes
  },
  {
    alert: "OnsaleRefundsStuck",
    gauges: onlyA("onsale_payments_stuck_refunds", "", [0, 1]),
    from: 5 * minutes
  },
  {
    alert: "OnsaleDeadLettersOld",
    gauges: onlyA("onsale_notification_oldest_dead_letter_ms", 'queue="email",', [600_000, 600_001]),
    from: 30
  },
  {
    alert: "OnsaleEventLoopLag",
    cause: "often",
    gauges: {
      'onsale_event_loop_lag_seconds{instance="a",quantile="0.99"}': [0.25, 0.251],
      'onsale_event_loop_lag_seconds{instance="a",quantile="1"}': [1, 1]
    },
    from: 1 * minutes
  },
  {
    alert: "OnsaleEventLoopLag",
    cause: "seldom and long",
    gauges: {
      'onsale_event_loop_lag_seconds{instance="a",quantile="0.99"}': [0.25, 0.25],
      'onsale_event_loop_lag_seconds{instance="a",quantile="1"}': [1, 1.001]
    },
    from: 1 * minutes
  },
  {
    alert: "OnsaleReconciliationLate",
    gauges: onlyA("onsale_reconciliation_age_seconds", 'provider="p",', [10_800, 10_801]),
    from: 5 * minutes
  },
  {
    alert: "OnsaleRequestsShed",
    counters: {
      'onsale_admission_refused_total{class="cold",instance="a"}': [5, 16],
      'onsale_admission_refused_total{class="cold",instance="b"}': [5, 15]
    },
    from: 1 * minutes,
    good: 2 * minutes,
    until: 165,
    early: 30
  },
  {
    alert: "OnsaleDatabaseConnectionsTaken",
    gauges: { 'onsale_database_wait_seconds{instance="a"}': [1, 1.001] },
    from: 1 * minutes
  },
  {
    alert: "OnsaleDatabaseSessionsNearLimit",
    gauges: {
      'onsale_database_sessions{instance="a",state="active"}': [60, 61],
      'onsale_database_sessions{instance="a",state="idle"}': [30, 30],
      'onsale_database_sessions_limit{instance="a"}': [100, 100]
    },
    from: 2 * minutes
  },
  {
    alert: "OnsaleRedisEvicts",
    counters: onlyA("onsale_redis_evicted_keys_total", "", [0, 1]),
    from: 0,
    good: 15,
    until: 10 * minutes,
    early: 30
  },
  {
    alert: "OnsalePressBehind",
    cause: "more documents",
    gauges: {
      'onsale_press_waiting{instance="a"}': [8, 9],
      'onsale_press_threads{instance="a"}': [2, 2]
    },
    from: 5 * minutes,
    early: 30
  },
  {
    alert: "OnsalePressBehind",
    cause: "fewer threads",
    gauges: {
      'onsale_press_waiting{instance="a"}': [9, 9],
      'onsale_press_threads{instance="a"}': [3, 2]
    },
    from: 5 * minutes,
    early: 30
  }
]
