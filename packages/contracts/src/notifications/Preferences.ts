/** What a customer wants to hear, in which language and how. */
import { Schema } from "effect"
import { Locale } from "./Locale.ts"

/** Ways to reach a customer. */
export const Channels = Schema.Struct({ email: Schema.Boolean, sms: Schema.Boolean, push: Schema.Boolean })
export type Channels = typeof Channels.Type

/** E.164: a plus sign, the country and the number, without spaces. */
export const PhoneNumber = Schema.String.check(
  Schema.isPattern(/^\+[1-9]\d{6,14}$/, { expected: "a phone number such as +4930123456" })
)

/**
 * Tickets, money, and what becomes of an event that somebody has bought go by e-mail whatever stands here:
 * `essentials` says which channels bring them besides. `reminders` and `news` can be declined altogether.
 */
export const Preferences = Schema.Struct({
  /** Null where the customer has chosen none: then the language of the order counts. */
  locale: Schema.NullOr(Locale),
  /** Where SMS go; without it none does. */
  phone: Schema.NullOr(PhoneNumber),
  essentials: Schema.Struct({ sms: Schema.Boolean, push: Schema.Boolean }),
  /** Of an event that begins soon, and of a hold that ends soon. */
  reminders: Channels,
  /** Of an event's name and performers. */
  news: Channels
})
export type Preferences = typeof Preferences.Type

/** Of who has said nothing. */
export const defaults: Preferences = {
  locale: null,
  phone: null,
  essentials: { sms: false, push: true },
  reminders: { email: true, sms: false, push: true },
  news: { email: true, sms: false, push: true }
}

/** What a customer may decline. */
export const Topic = Schema.Literals(["reminders", "news"])
export type Topic = typeof Topic.Type
