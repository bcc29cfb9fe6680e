/**
 * Keeps what people stack over and under a letter within its line: a hundred accents on one letter would be a column
 * over all that stands above it. What gets by this, by joiners or subjoined letters, is cut off where it is drawn (`PageText`).
 */
import { type Face, faceFor, type Weight } from "./Fonts.ts"

/** How far a letter with its marks may reach over and under the line it stands on, of the size of the text. */
export const reach = { above: 1.2, below: 0.65 }

/** A syllable of Myanmar has seven. */
const maxMarks = 8

const stack = /\p{M}{2}/u
const tooMany = new RegExp(`(\\p{M}{${maxMarks}})\\p{M}+`, "gu")
const marks = /\p{M}/gu
/** Made when it is needed, which for most is never. */
let graphemes: Intl.Segmenter | undefined

const fits = ({ font, scale }: Face, cluster: string): boolean => {
  const { maxY, minY } = font.layout(cluster).bbox
  const em = font.unitsPerEm / scale
  // What draws nothing has no bounds.
  return !(maxY > reach.above * em || minY < -reach.below * em)
}

const withMarks = (cluster: string, count: number): string => {
  let kept = 0
  return cluster.replace(marks, (mark) => (kept++ < count ? mark : ""))
}

/** With as many marks as have room; of what has none for all, no more than a syllable has, so that few lengths are tried. */
const within = (cluster: string, weight: Weight): string => {
  let kept = cluster
  for (let count = maxMarks; stack.test(kept) && !fits(faceFor(weight, kept), kept); count--)
    kept = withMarks(cluster, count)
  return kept
}

/** A text without those marks that have no room on a line; as it is in all writing that somebody reads. */
export const bounded = (text: string, weight: Weight): string => {
  // As most text.
  if (!stack.test(text)) return text
  graphemes ??= new Intl.Segmenter("und", { granularity: "grapheme" })
  const few = text.replace(tooMany, "$1")
  return Array.from(graphemes.segment(few), ({ segment }) => within(segment, weight)).join("")
}
