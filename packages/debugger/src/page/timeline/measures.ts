/** Of the time line, in CSS pixels. */
export const rowHeight = 24;
/** Room at both ends of a track, so that the first and the last mark are whole. */
export const inset = 10;
