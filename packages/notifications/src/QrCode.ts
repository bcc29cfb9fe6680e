/** The QR code of a ticket code, as rectangles of dark modules. */
import type { TicketCode } from "@onsale/contracts/notifications/TicketCode"
import QRCode from "qrcode"

/** The light margin that a reader needs around a code, in modules (ISO/IEC 18004). */
export const quietZone = 4

export interface QrCode {
  /** Modules on a side, without the quiet zone. */
  readonly size: number
  /** Dark stretches of rows: column, row and length in modules. */
  readonly dark: ReadonlyArray<{ readonly x: number; readonly y: number; readonly length: number }>
}

/** Level M: readable with 15% of it damaged. */
export const make = (code: TicketCode): QrCode => {
  const { modules } = QRCode.create([{ data: code, mode: "alphanumeric" }], { errorCorrectionLevel: "M" })
  const dark: Array<{ x: number; y: number; length: number }> = []
  for (let y = 0; y < modules.size; y++) {
    for (let x = 0; x < modules.size; x++) {
      if (modules.get(y, x) === 0) continue
      const start = x
      while (x + 1 < modules.size && modules.get(y, x + 1) !== 0) x++
      dark.push({ x: start, y, length: x - start + 1 })
    }
  }
  return { size: modules.size, dark }
}
