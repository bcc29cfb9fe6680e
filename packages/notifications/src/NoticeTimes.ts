/** When buyers are told of what does not happen at once. */
import { Config, Duration } from "effect"

export const config = Config.all({
  /** Before an event begins, its buyers are reminded of it. */
  remindBefore: Config.Duration("ONSALE_REMINDER_BEFORE").pipe(Config.withDefault(Duration.hours(24))),
  /** Before the seats of an order that is not paid are given up, its buyer is told so. */
  warnBefore: Config.Duration("ONSALE_PAYMENT_WARNING_BEFORE").pipe(Config.withDefault(Duration.minutes(5))),
  /** Most who are sent to their bank are back by then, and need no mail about it. */
  pendingAfter: Config.Duration("ONSALE_PAYMENT_PENDING_AFTER").pipe(
    Config.withDefault(Duration.seconds(30))
  ),
  /**
   * What happened longer ago is not told any more but recorded as skipped: a follower that begins anew must not tell
   * people of last year.
   */
  horizon: Config.Duration("ONSALE_NOTICE_HORIZON").pipe(Config.withDefault(Duration.days(3)))
})
