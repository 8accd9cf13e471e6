/** Colours for text reports; whether there are any is for the caller to know. */

/** Puts a colour around a text, or leaves it as it is. */
export type Brush = (text: string) => string;

/** The colours that reports use. */
export interface Paint {
  readonly bold: Brush;
  readonly dim: Brush;
  readonly red: Brush;
  readonly yellow: Brush;
  readonly green: Brush;
  readonly cyan: Brush;
}
