/** A choice that is one tap away: another state, or what the words that were typed may mean, too. */
export function Chip({ to, chosen, children }: { to: string; chosen: boolean; children: string }) {
  return (
    <a class="chip" href={to} {...(chosen ? { 'aria-current': 'true' as const } : {})}>
      <bdi>{children}</bdi>
    </a>
  );
}
