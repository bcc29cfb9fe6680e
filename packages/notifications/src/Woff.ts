/**
 * Unpacks a WOFF 1.0 font into the TrueType or OpenType font it was made from.
 *
 * The packages of fonts carry WOFF only, and the PDF library inflates a whole table of those for each glyph
 * it looks at, which takes seconds for a large font.
 */
import { inflateSync } from "node:zlib"

const headerBytes = 44
const entryBytes = 20
/** Larger than any font we carry (15 MB), and small enough that a damaged file does no harm. */
const maxTableBytes = 64 * 1024 * 1024

/** Throws a `RangeError` where `woff` is no WOFF font. */
export const unpack = (woff: Buffer): Buffer => {
  if (woff.length < headerBytes || woff.toString("latin1", 0, 4) !== "wOFF")
    throw new RangeError("not a WOFF font")
  const count = woff.readUInt16BE(12)
  const tables = Array.from({ length: count }, (_, i) => {
    const at = headerBytes + i * entryBytes
    const offset = woff.readUInt32BE(at + 4)
    const packed = woff.subarray(offset, offset + woff.readUInt32BE(at + 8))
    const length = woff.readUInt32BE(at + 12)
    return {
      tag: woff.readUInt32BE(at),
      checksum: woff.readUInt32BE(at + 16),
      data: packed.length < length ? inflateSync(packed, { maxOutputLength: maxTableBytes }) : packed
    }
  })
  const directory = Buffer.alloc(12 + 16 * count)
  const power = 2 ** Math.floor(Math.log2(count))
  directory.writeUInt32BE(woff.readUInt32BE(4), 0)
  directory.writeUInt16BE(count, 4)
  directory.writeUInt16BE(power * 16, 6)
  directory.writeUInt16BE(Math.log2(power), 8)
  directory.writeUInt16BE((count - power) * 16, 10)
  const parts: Array<Buffer> = [directory]
  let offset = directory.length
  tables.forEach(({ checksum, data, tag }, i) => {
    const at = 12 + 16 * i
    directory.writeUInt32BE(tag, at)
    directory.writeUInt32BE(checksum, at + 4)
    directory.writeUInt32BE(offset, at + 8)
    directory.writeUInt32BE(data.length, at + 12)
    const padding = (4 - (data.length % 4)) % 4
    parts.push(data, Buffer.alloc(padding))
    offset += data.length + padding
  })
  return Buffer.concat(parts)
}
