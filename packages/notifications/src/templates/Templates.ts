/** What buyers are told, in the words of each channel. Pure. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import { topicOf } from "../Preferences.ts"
import { clip } from "./Isolate.ts"
import { languages } from "./Languages.ts"
import * as Letter from "./Letter.ts"
import * as LetterHtml from "./LetterHtml.ts"
import * as LetterText from "./LetterText.ts"
import type { NoticeContent, RenderedNotice } from "./NoticeContent.ts"
import { phrases } from "./SaidOf.ts"
import * as Sms from "./Sms.ts"

/** Links that only some messages have. */
export interface Links {
  /** Where the reader declines messages like this one; left out of what always goes. */
  readonly unsubscribe?: string
}

/** What phones show of a notification, in UTF-16 code units. */
export const maxPushTitle = 60
export const maxPushBody = 178

/** Names lose their ends before a sentence does; the last is short enough for any sentence. */
const nameLengths = [80, 50, 30, 16]

/** The brief sentence, with names as long as there is room for. */
const briefly = (
  content: NoticeContent,
  locale: Locale,
  maxLength: number,
  finish: (text: string) => string = (text) => text
): string => {
  let text = ""
  for (const maxName of nameLengths) {
    text = finish(phrases(content, languages[locale], locale, maxName).brief)
    if (text.length <= maxLength) return text
  }
  return clip(text, maxLength)
}

const sms = (content: NoticeContent, locale: Locale): string => {
  const url = "actionUrl" in content ? Letter.linkOf(content.actionUrl) : null
  const text = briefly(content, locale, Sms.maxLength, Sms.lean)
  const withLink = url === null ? text : Sms.lean(`${text} ${url}`)
  // Half a link leads nowhere; the mail has it.
  return withLink.length <= Sms.maxLength ? withLink : text
}

/** One content in the words of each channel, in a language. Nothing of it needs a lookup. */
export const render = (content: NoticeContent, locale: Locale, links: Links = {}): RenderedNotice => {
  const words = languages[locale]
  const topic = topicOf(content)
  const unsubscribe = topic === null ? null : Letter.linkOf(links.unsubscribe ?? null)
  const letter = Letter.make(
    content,
    words,
    locale,
    topic === null || unsubscribe === null ? null : { label: words.unsubscribe[topic], url: unsubscribe }
  )
  return {
    subject: letter.subject,
    text: LetterText.render(letter, words),
    html: LetterHtml.render(letter),
    sms: sms(content, locale),
    push: { title: clip(letter.heading, maxPushTitle), body: briefly(content, locale, maxPushBody) }
  }
}
