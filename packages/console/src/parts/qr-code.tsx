import encodeQR from 'qr';
import { useMemo } from 'react';

const QUIET = 2;

/** A QR code as one SVG path; black on white whatever the theme, or phones do not see it. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const rows = encodeQR(text, 'raw', { ecc: 'low', border: QUIET });
    const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
    return { size: rows.length, path };
  }, [text]);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="w-full bg-white"
    >
      <path d={path} fill="#000" />
    </svg>
  );
}
