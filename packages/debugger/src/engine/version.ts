/** The build that traces and links are of. A test holds it to package.json. */
export const codeVersion = '0.1.0';
