/**
 * Ends connections whose own address this machine has no more.
 *
 * When an interface goes (a cable, a network that a container is taken off), nobody tells the connections over it: what
 * was sent is sent again for a quarter of an hour, to where it can never arrive from, and a pool that holds them hangs for
 * as long even when the machine is back under another address. Node has no time limit for that (TCP_USER_TIMEOUT), and
 * one on every statement would end those that are only slow.
 */
import { Duration, Effect, Layer, Schedule } from "effect"
import { channel } from "node:diagnostics_channel"
import type { Socket } from "node:net"
import { networkInterfaces } from "node:os"

const lookEvery = Duration.seconds(1)

/** Published by Node for every connection that this process makes. */
const made = channel("net.client.socket")

/** An IPv4 address may be told in the form of IPv6. */
const plain = (address: string): string => address.replace(/^::ffff:/, "").replace(/%.*$/, "")

const ownAddresses = (): ReadonlySet<string> =>
  new Set(
    Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).map(({ address }) => plain(address))
    )
  )

/** Whether a connection is over an address that is none of these; one that is not connected yet is over none. */
export const isLost = (socket: Pick<Socket, "localAddress">, own: ReadonlySet<string>): boolean => {
  const { localAddress } = socket
  return localAddress !== undefined && localAddress !== "" && !own.has(plain(localAddress))
}

/** Watches over the connections that are made while the layer lives. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    const onMade = (message: unknown) => {
      const { socket } = message as { readonly socket: Socket }
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => made.subscribe(onMade)),
      () => Effect.sync(() => made.unsubscribe(onMade))
    )
    yield* Effect.suspend(() => {
      const own = ownAddresses()
      const lost = [...sockets].filter((socket) => isLost(socket, own))
      for (const socket of lost)
        socket.destroy(new Error(`${socket.localAddress} is no address of this machine any more`))
      return lost.length === 0
        ? Effect.void
        : Effect.logWarning(`ended ${lost.length} connections over an address that this machine has lost`)
    }).pipe(Effect.repeat(Schedule.spaced(lookEvery)), Effect.forkScoped)
  })
)
