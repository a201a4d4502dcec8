"""From a picture file to its digits, on LiteRT: TensorFlow is never imported.

How a network is trained is up to `helpers.learning`. This package offers what the notebooks
use by name. `pad` (a drawing pad) and `command` (the command line) are imported by their own
names, because the one needs widgets and the other is a program.
"""

from helpers.layout import centre_by_mass, crop_to_ink, scale_to_box
from helpers.reading.digits import LIKE_A_DIGIT, SURE, Digit
from helpers.reading.drawing import draw_reading
from helpers.reading.ink import find_strokes, paper_brightness, to_ink, with_dark_ink
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError, open_picture, to_grey
from helpers.reading.preparation import clean_ink, prepare_digit, thicken_strokes
from helpers.reading.reader import DigitReader, Reading
from helpers.reading.records import read_record
from helpers.reading.ten import load_ten

__all__ = [
    "LIKE_A_DIGIT",
    "SURE",
    "Digit",
    "DigitReader",
    "Network",
    "PictureError",
    "Reading",
    "centre_by_mass",
    "clean_ink",
    "crop_to_ink",
    "draw_reading",
    "find_strokes",
    "load_ten",
    "open_picture",
    "paper_brightness",
    "prepare_digit",
    "read_record",
    "scale_to_box",
    "thicken_strokes",
    "to_grey",
    "to_ink",
    "with_dark_ink",
]
