/** Pictures in planes of 8 bits, chroma at half the resolution: what decoders give and encoders take. */
import type { Mask } from './name-plate.ts';
import type { Rect, Size } from './tiles.ts';

export type Colour = readonly [y: number, u: number, v: number];

export const BLACK: Colour = [16, 128, 128];

export interface Plane {
  data: Buffer;
  stride: number;
}

/** Rows of planes begin at multiples of this, as whoever fills them writes in blocks. */
const ALIGNMENT = 64;

export class Picture {
  readonly width: number;
  readonly height: number;
  /** All planes, one behind the other. */
  readonly data: Buffer;
  readonly planes: readonly [Plane, Plane, Plane];

  /** Packed as an encoder reads it, or `padded` as a scaler writes it. */
  constructor({ width, height }: Size, layout: 'packed' | 'padded') {
    const stride = (columns: number): number =>
      layout === 'packed' ? columns : Math.ceil(columns / ALIGNMENT) * ALIGNMENT;
    const [wide, half] = [stride(width), stride(width / 2)];
    const [luma, chroma] = [wide * height, half * (height / 2)];
    const slack = layout === 'packed' ? 0 : ALIGNMENT;
    this.width = width;
    this.height = height;
    this.data = Buffer.alloc(luma + 2 * chroma + slack);
    this.planes = [
      { data: this.data.subarray(0, luma), stride: wide },
      { data: this.data.subarray(luma, luma + chroma), stride: half },
      { data: this.data.subarray(luma + chroma, luma + 2 * chroma), stride: half },
    ];
  }

  fill(rect: Rect, colour: Colour): void {
    this.planes.forEach(({ data, stride }, plane) => {
      const { x, y, width, height } = inPlane(rect, plane);
      for (let row = y; row < y + height; row++) {
        data.fill(colour[plane]!, row * stride + x, row * stride + x + width);
      }
    });
  }

  /** All of `from`, with its left upper corner at `x`, `y`. */
  copy(from: Picture, x: number, y: number): void {
    this.planes.forEach(({ data, stride }, plane) => {
      const source = from.planes[plane]!;
      const target = inPlane({ x, y, width: from.width, height: from.height }, plane);
      for (let row = 0; row < target.height; row++) {
        const start = row * source.stride;
        source.data.copy(data, (target.y + row) * stride + target.x, start, start + target.width);
      }
    });
  }

  /** Lines along the inner edges. */
  frame(rect: Rect, thickness: number, colour: Colour): void {
    const { x, y, width, height } = rect;
    this.fill({ x, y, width, height: thickness }, colour);
    this.fill({ x, y: y + height - thickness, width, height: thickness }, colour);
    this.fill({ x, y, width: thickness, height }, colour);
    this.fill({ x: x + width - thickness, y, width: thickness, height }, colour);
  }

  /** Makes what is there as bright as `luma` where the mask says so. */
  brighten(mask: Mask, x: number, y: number, luma: number): void {
    const { data, stride } = this.planes[0];
    for (let row = 0; row < mask.height; row++) {
      for (let column = 0; column < mask.width; column++) {
        const alpha = mask.alpha[row * mask.width + column]!;
        if (alpha === 0) continue;
        const at = (y + row) * stride + x + column;
        const was = data[at]!;
        data[at] = was + ((luma - was) * alpha) / 255;
      }
    }
  }
}

function inPlane({ x, y, width, height }: Rect, plane: number): Rect {
  if (plane === 0) return { x, y, width, height };

  return { x: x / 2, y: y / 2, width: width / 2, height: height / 2 };
}
