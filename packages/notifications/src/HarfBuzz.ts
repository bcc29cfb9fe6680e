/**
 * Shapes text with HarfBuzz: which glyphs of a font stand for it, and where. The library that reads our fonts breaks at
 * common names of India and Cambodia, and never ends at some of Manipur.
 *
 * What HarfBuzz comes with loads it for whoever imports it, and later only; most documents need none of it, and one is
 * drawn in one go. So this loads it when a text needs it first.
 */
import { readFileSync } from "node:fs"

type Pointer = number

/** What we call, by HarfBuzz's own names. */
interface Library {
  readonly memory: WebAssembly.Memory
  __wasm_call_ctors(): void
  malloc(bytes: number): Pointer
  free(at: Pointer): void
  hb_blob_create(data: Pointer, bytes: number, mode: number, user: Pointer, destroy: Pointer): Pointer
  hb_face_create(blob: Pointer, index: number): Pointer
  hb_font_create(face: Pointer): Pointer
  hb_buffer_create(): Pointer
  hb_buffer_set_cluster_level(buffer: Pointer, level: number): void
  hb_buffer_clear_contents(buffer: Pointer): void
  hb_buffer_add_utf16(buffer: Pointer, text: Pointer, length: number, from: number, count: number): void
  hb_buffer_guess_segment_properties(buffer: Pointer): void
  hb_buffer_set_direction(buffer: Pointer, direction: number): void
  hb_buffer_get_length(buffer: Pointer): number
  hb_buffer_get_glyph_infos(buffer: Pointer, length: Pointer): Pointer
  hb_buffer_get_glyph_positions(buffer: Pointer, length: Pointer): Pointer
  hb_shape(font: Pointer, buffer: Pointer, features: Pointer, count: number): void
}

/** A glyph in the order in which they are drawn, from the left; in units of the font. */
export interface PlacedGlyph {
  readonly id: number
  /** Index in the text of the first letter that it stands for. */
  readonly from: number
  readonly xAdvance: number
  readonly yAdvance: number
  readonly xOffset: number
  readonly yOffset: number
}

const pageBytes = 65_536
/** All our fonts together are some 10 MiB. */
const maxBytes = 128 * 1024 * 1024
const readOnly = 1
/** Glyphs keep the letters they stand for, each its own: documents are searched. */
const byCharacter = 2
const leftToRight = 4
/** Written from the left by who writes words from the right, but for N'Ko and Adlam. */
const number = /^(?=.*\p{Nd})[^\p{L}\p{M}\p{Script=Nko}\p{Script=Adlam}]+$/u
/** Of `hb_glyph_info_t` as of `hb_glyph_position_t`: five words of four bytes. */
const words = 5

const isLibrary = (exports: object): exports is Library => "hb_shape" in exports && "malloc" in exports

interface Shaper {
  readonly library: Library
  readonly buffer: Pointer
}

const load = (file = new URL(import.meta.resolve("harfbuzzjs/dist/harfbuzz.wasm"))): Shaper => {
  const stop = (): never => {
    throw new Error("HarfBuzz gave up")
  }
  const grow = (wanted: number): boolean => {
    if (wanted > maxBytes) return false
    const { memory } = library
    memory.grow(Math.ceil((wanted - memory.buffer.byteLength) / pageBytes))
    return true
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
    wasi_snapshot_preview1: { proc_exit: stop },
    env: {
      _abort_js: stop,
      _emscripten_runtime_keepalive_clear: () => undefined,
      _setitimer_js: () => 0,
      emscripten_resize_heap: grow
    }
  })
  if (!isLibrary(exports)) throw new TypeError("not HarfBuzz")
  const library = exports
  library.__wasm_call_ctors()
  const buffer = library.hb_buffer_create()
  library.hb_buffer_set_cluster_level(buffer, byCharacter)
  return { library, buffer }
}

/** Throws where it cannot be loaded, which takes some milliseconds. */
export const check = (file?: URL): void => {
  load(file)
}

let loaded: Shaper | undefined

const allocate = (library: Library, bytes: number): Pointer => {
  const at = library.malloc(bytes)
  if (at === 0) throw new RangeError(`HarfBuzz has no room for ${bytes} bytes`)
  return at
}

/** How a font, TrueType or OpenType, shapes a text of one direction. The font is kept for good. */
export const open = (data: Uint8Array): ((text: string) => ReadonlyArray<PlacedGlyph>) => {
  const { buffer, library } = (loaded ??= load())
  const at = allocate(library, data.length)
  new Uint8Array(library.memory.buffer).set(data, at)
  const font = library.hb_font_create(
    library.hb_face_create(library.hb_blob_create(at, data.length, readOnly, 0, 0), 0)
  )
  return (text) => {
    library.hb_buffer_clear_contents(buffer)
    const letters = allocate(library, 2 * text.length)
    const units = new Uint16Array(library.memory.buffer, letters, text.length)
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
    library.hb_buffer_add_utf16(buffer, letters, text.length, 0, text.length)
    library.free(letters)
    library.hb_buffer_guess_segment_properties(buffer)
    if (number.test(text)) library.hb_buffer_set_direction(buffer, leftToRight)
    library.hb_shape(font, buffer, 0, 0)
    const count = library.hb_buffer_get_length(buffer)
    // After shaping: its memory may have moved.
    const all = library.memory.buffer
    const infos = new Uint32Array(all, library.hb_buffer_get_glyph_infos(buffer, 0), words * count)
    const places = new Int32Array(all, library.hb_buffer_get_glyph_positions(buffer, 0), words * count)
    return Array.from({ length: count }, (_, i) => ({
      id: infos[words * i]!,
      from: infos[words * i + 2]!,
      xAdvance: places[words * i]!,
      yAdvance: places[words * i + 1]!,
      xOffset: places[words * i + 2]!,
      yOffset: places[words * i + 3]!
    }))
  }
}
