/** Tells the application, and keeps what that throws, or rejects with, to itself. */
export function callBack<Told>(callback: ((told: Told) => unknown) | undefined, told: Told): void {
  try {
    Promise.resolve(callback?.(told)).catch(() => {})
  } catch {}
}
