/** Lets all promises go on that wait for nothing but each other. */
export async function microtasks(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
