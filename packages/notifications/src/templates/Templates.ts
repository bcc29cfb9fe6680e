/** What buyers are told, in the words of each channel. Pure. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import type { NoticeContent, RenderedNotice } from "./NoticeContent.ts"

/** Links that only some messages have. */
export interface Links {
  /** Where the reader declines messages like this one; for reminders and news alone. */
  readonly unsubscribe?: string
}

/** One content in the words of each channel, in a language. Nothing of it needs a lookup. */
export const render = (content: NoticeContent, _locale: Locale, _links: Links = {}): RenderedNotice => ({
  subject: content.event.name,
  text: content.event.name,
  html: content.event.name,
  sms: content.event.name,
  push: { title: content.event.name, body: content.event.name }
})
