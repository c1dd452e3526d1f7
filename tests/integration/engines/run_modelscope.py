"""Ask ModelScope's own pipeline for a matte: ``python run_modelscope.py MODEL PICTURE OUT.npy``.

Runs on Python 3.7 in an environment of its own.
"""

import sys

import numpy as np
from modelscope.pipelines.cv.image_matting_pipeline import ImageMattingPipeline

if __name__ == "__main__":
    # A path, because the pipeline takes arrays for BGR.
    result = ImageMattingPipeline(model=sys.argv[1])(sys.argv[2])
    np.save(sys.argv[3], result["output_img"])
