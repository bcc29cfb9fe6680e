/** Which partition a stream belongs to, and which consumer a partition: the same answer wherever it is asked. */

/** FNV-1a of 32 bits: fast, spread well enough over a handful of partitions, and the same for ever. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

export const partitionOf = (subject: string, partitions: number): number => hash(subject) % partitions

/**
 * The partitions of one member out of `members`. By rank of a hash of both, so that who comes or goes moves
 * few others; members that know of the same members agree, and all partitions are given out.
 */
export const shareOf = (
  member: string,
  members: ReadonlyArray<string>,
  partitions: number
): Array<number> => {
  const most = Math.ceil(partitions / members.length)
  const count = new Map(members.map((each) => [each, 0]))
  const mine: Array<number> = []
  for (let partition = 0; partition < partitions; partition++) {
    let winner: string | undefined
    let highest = -1
    for (const each of members) {
      const rank = hash(`${each}/${partition}`)
      if ((count.get(each) ?? 0) >= most || rank < highest) continue
      // Of equal ranks the smaller name, so that the order of `members` does not matter.
      if (rank === highest && winner !== undefined && winner < each) continue
      winner = each
      highest = rank
    }
    if (winner === undefined) continue
    count.set(winner, (count.get(winner) ?? 0) + 1)
    if (winner === member) mine.push(partition)
  }
  return mine
}
