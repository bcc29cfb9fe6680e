/**
 * How many slips of a finger two words are apart: a letter too much, one too few, another one, two in the wrong
 * order (Damerau and Levenshtein, each place touched once). `atMost + 1` stands for all that is further.
 */
export const editDistance = (a: string, b: string, atMost: number): number => {
  if (a === b) return 0
  if (Math.abs(a.length - b.length) > atMost) return atMost + 1
  let before: Array<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
      if (cost < least) least = cost
    }
    if (least > atMost) return atMost + 1
    before = last
    last = row
  }
  return Math.min(last[b.length]!, atMost + 1)
}
