/**
 * Sets a text of any script in lines of a given width: chooses faces, breaks lines, and puts runs of
 * right-to-left text in their visual order.
 */
import bidiFactory from "bidi-js/dist/bidi.mjs"
import { type Face, faceFor, isCommon, isOfScript, prints, type Weight } from "./Fonts.ts"
import { bounded } from "./MarkStacks.ts"

/** Text of one face and one direction, to be drawn from its left end. */
export interface Run {
  readonly face: Face
  readonly text: string
  /** In points. */
  readonly width: number
}

export interface Line {
  readonly runs: ReadonlyArray<Run>
  readonly width: number
}

export interface Style {
  readonly weight: Weight
  /** In points. */
  readonly size: number
}

const bidi = bidiFactory()
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" })
const words = new Intl.Segmenter("und", { granularity: "word" })

/** Scripts that are written without spaces: a line may end between any two of their words. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const rightToLeft =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u
/** Signs of no script, of which scripts have forms of their own. */
const shared = /^(?![\0-\u052f])[\p{Script=Common}\p{Script=Inherited}]/u
/** The algorithm's library knows no letter of two code units: one that it knows stands for each. */
const beyond = /\p{Script=Adlam}/gu
const standIn = "\u05d0\u05d0"
const nothingMirrored: ReadonlyMap<number, string> = new Map()
const noLevels = new Uint8Array(0)
const blank = /^\s+$/u

/**
 * One line of plain text: no control characters, and none of those that turn the direction of what follows,
 * so that nobody's name rewrites the rest of a page.
 */
export const plain = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, " ")
    .replace(/[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\p{Cs}\p{Cn}]/gu, "")
    .trim()

/** Where scripts join the next letter to the one before, though it is a cluster of its own. */
const joins = /(?:[\u0a4d\u0bcd\u0ccd\u1039\u17d2\u1b44\u1bab\ua9c0\uaaf6]|\u0dca\u200d)$/u
const maxJoined = 4
/** Letters that join without end are one cluster as well. */
const maxClusterLength = 16

/** What a line is not broken within, even if it has no other place to. */
const clustersOf = (text: string): Array<string> => {
  const clusters: Array<string> = []
  let joined = 0
  for (const { segment } of graphemes.segment(text)) {
    const last = clusters.length - 1
    if (joined < maxJoined && joins.test(clusters[last] ?? "")) {
      clusters[last] += segment
      joined++
      continue
    }
    joined = 1
    if (segment.length <= maxClusterLength) clusters.push(segment)
    else {
      const letters = Array.from(segment)
      for (let i = 0; i < letters.length; i += maxClusterLength) {
        clusters.push(letters.slice(i, i + maxClusterLength).join(""))
      }
    }
  }
  return clusters
}

const widthOf = (face: Face, text: string, size: number) =>
  (face.font.layout(text).advanceWidth / face.font.unitsPerEm) * size * face.scale

/** Splits a text where the face or the direction changes, in logical order. */
const split = (text: string, weight: Weight, levels: Uint8Array, mirrored: ReadonlyMap<number, string>) => {
  const parts: Array<{ face: Face; level: number; text: string }> = []
  for (const { index, segment } of graphemes.segment(text)) {
    const level = levels[index] ?? 0
    const cluster = mirrored.get(index) ?? segment
    const last = parts[parts.length - 1]
    if (last !== undefined && last.level === level) {
      const stays = segment === " " || (shared.test(segment) && isOfScript(last.face))
      const face = stays && prints(last.face, cluster) ? last.face : faceFor(weight, cluster)
      if (face === last.face) {
        last.text += cluster
        continue
      }
      parts.push({ face, level, text: cluster })
    } else {
      parts.push({ face: faceFor(weight, cluster), level, text: cluster })
    }
  }
  return parts
}

/** Rule L2 of the bidirectional algorithm, over runs: each stretch of a level and above is turned round. */
const reorder = <P extends { readonly level: number }>(parts: Array<P>): Array<P> => {
  const highest = parts.reduce((level, part) => Math.max(level, part.level), 0)
  for (let level = highest; level > 0; level--) {
    for (let start = 0; start < parts.length; start++) {
      let end = start
      while (end < parts.length && (parts[end]?.level ?? 0) >= level) end++
      if (end > start + 1) parts.splice(start, end - start, ...parts.slice(start, end).reverse())
      start = Math.max(start, end)
    }
  }
  return parts
}

const set = (written: string, { size, weight }: Style): Line => {
  const text = bounded(written, weight)
  // Most text has nothing to turn, and the algorithm costs more than all the rest.
  const { levels } = rightToLeft.test(text)
    ? bidi.getEmbeddingLevels(text.replace(beyond, standIn), "auto")
    : { levels: noLevels }
  const mirrored: ReadonlyMap<number, string> =
    levels.length === 0 ? nothingMirrored : bidi.getMirroredCharactersMap(text, levels)
  const runs = reorder(split(text, weight, levels, mirrored)).map(({ face, level, text }): Run => {
    // A run with letters of such a script is turned by the shaping; one of signs alone is not.
    const visual = level % 2 === 1 && !rightToLeft.test(text) ? clustersOf(text).reverse().join("") : text
    return { face, text: visual, width: widthOf(face, visual, size) }
  })
  return { runs, width: runs.reduce((sum, run) => sum + run.width, 0) }
}

/** Labels, sentences and events are the same on ticket after ticket, and setting them is most of what a page costs. */
const keptLines = 2_000
const lines = new Map<string, Line>()

/** A text, on one line however wide. */
export const line = (text: string, style: Style): Line => {
  const key = `${style.weight} ${style.size} ${text}`
  const known = lines.get(key)
  if (known !== undefined) return known
  const made = set(text, style)
  if (!made.runs.every(({ face }) => isCommon(face))) return made
  // The one that was kept first makes room: those that come again are made anew once in 2,000 lines.
  const [first] = lines.keys()
  if (first !== undefined && lines.size >= keptLines) lines.delete(first)
  lines.set(key, made)
  return made
}

/** What must stay together on a line, each with the blanks behind it. */
const unbreakable = (text: string): Array<string> => {
  const units: Array<string> = []
  let open = false
  for (const { segment } of words.segment(text)) {
    const last = units.length - 1
    const breaks = unspaced.test(segment) || unspaced.test(units[last]?.slice(-1) ?? "")
    // A full stop or a bracket does not begin a line.
    const closing = /^[\p{Pe}\p{Pf}\p{Po}]$/u.test(segment)
    if (last >= 0 && (blank.test(segment) || open) && !(breaks && !closing && !blank.test(segment))) {
      units[last] += segment
    } else {
      units.push(segment)
    }
    open = !blank.test(segment) && !/[-/–—་]$/u.test(segment)
  }
  return units
}

/**
 * A text in at most `maxLines` lines of `width` points; what has no room ends in an ellipsis. Words that are
 * wider than a line are broken.
 */
export const wrap = (text: string, style: Style, width: number, maxLines: number): ReadonlyArray<Line> => {
  const all = bounded(plain(text), style.weight)
  const whole = line(all, style)
  if (all !== "" && whole.width <= width) return [whole]
  const texts: Array<string> = []
  let current = ""
  const fits = (candidate: string) => line(candidate.trimEnd(), style).width <= width
  const add = (unit: string) => {
    if (current !== "" && !fits(current + unit)) {
      texts.push(current.trimEnd())
      current = ""
    }
    current += unit
  }
  for (const unit of unbreakable(all)) {
    if (texts.length > maxLines) break
    if (fits(unit)) add(unit)
    else for (const cluster of clustersOf(unit)) add(cluster)
  }
  if (current !== "") texts.push(current.trimEnd())
  if (texts.length > maxLines) {
    const kept = clustersOf(texts[maxLines - 1] ?? "")
    while (kept.length > 0 && !fits(`${kept.join("").trimEnd()}…`)) kept.pop()
    texts.splice(maxLines - 1, texts.length, `${kept.join("").trimEnd()}…`)
  }
  return texts.map((text) => line(text, style))
}
