export async function simulate(_options: object): Promise<number> {
  return 0
}
