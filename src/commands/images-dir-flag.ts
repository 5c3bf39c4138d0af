import * as Flags from '@oclif/core/flags';

/** For commands that write or read the layouts of a chart. */
export const IMAGES_DIR_FLAG = {
  'images-dir': Flags.string({
    summary: 'folder of the layouts (default: images in the chart folder)',
    helpValue: 'DIR',
  }),
};
