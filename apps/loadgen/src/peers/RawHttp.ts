/** The limit: plain `node:http` that reads the same request and answers the same bytes, and keeps nothing. */
import * as Control from "./Control.ts"
import { type Sale, serve } from "./PeerServer.ts"

let sale: Sale | undefined

const server = await serve(() => sale)
Control.serve(server.port, {
  open: ({ eventId, event }) => {
    sale = { eventId, event, holdSeats: () => true, holdPlaces: () => true }
    return Promise.resolve()
  },
  rest: () => Promise.resolve()
})
