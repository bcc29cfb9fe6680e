/**
 * The groups of a topic that this process has seen, so that one which a broker has forgotten is waited for and
 * not overlooked. Pure but for its memory: a name for each group and partition.
 */
export const make = () => {
  const groups = new Set<string>()
  const seenIn = new Map<string, number>()

  /**
   * True where none is missing in the partition. `generation` counts how often the broker may have forgotten
   * all: a group that was there in this one and is not any more was removed by an operator, and is let go.
   */
  const complete = (partition: string, generation: number, present: ReadonlyArray<string>): boolean => {
    for (const group of present) {
      groups.add(group)
      seenIn.set(`${partition} ${group}`, generation)
    }
    for (const group of groups) {
      if (present.includes(group)) continue
      if (seenIn.get(`${partition} ${group}`) !== generation) return false
      groups.delete(group)
    }
    return true
  }
  /** Whether some group was there in this generation. */
  const knows = (partition: string, generation: number): boolean =>
    [...groups].some((group) => seenIn.get(`${partition} ${group}`) === generation)

  return { complete, knows }
}
