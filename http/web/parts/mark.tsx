/** The product's own mark, where the operator has set no logo: a ring that closes around a dot. */

export function Mark(attributes: { xmlns?: string; color?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false" {...attributes}>
      <path
        d="M25 7.5A12.5 12.5 0 1 0 28.5 16"
        fill="none"
        stroke="currentColor"
        stroke-width="4"
        stroke-linecap="round"
      />
      <circle cx="16" cy="16" r="5" fill="currentColor" />
    </svg>
  );
}

/** The mark as a file of its own. */
export const markAsSvg = (color: string): string =>
  String(<Mark xmlns="http://www.w3.org/2000/svg" color={color} />);
